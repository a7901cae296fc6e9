"""The chart: a panel a cell, a bar a contestant, medians with their spread. SVG without scripts or outside fonts."""
from xml.sax.saxutils import escape

import workloads
from figures import cells, summary

WIDTH, LEFT, RIGHT, ROW, BAR = 960, 250, 150, 24, 15
COLORS = {"disksync": "#0b6e99", "peer": "#9aa5ad", "reference": "#d9b44a"}
KINDS = {"disksync": "disksync", "peer": "peers", "reference": "references (no copy)"}


def text(x, y, words, size=13, anchor="start", color="#1b1f23", weight="normal"):
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" fill="{color}" '
            f'font-weight="{weight}">{escape(words)}</text>')


def nice(limit):
    """The step of a scale of at most six marks."""
    step = 10.0 ** -4
    for _ in range(12):
        for factor in (1, 2, 5):
            if limit / (step * factor) <= 6:
                return step * factor
        step *= 10
    return limit


def scale(found):
    """The longest run, but no more than three times the median contestant: one that is very slow would squash the rest."""
    if not found:
        return 1.0
    middle = sorted(one["median"] for one in found)[len(found) // 2]
    return min(max(one["max"] for one in found), 3 * max(middle, 0.001))


def panel(key, rows, top):
    workload, link = key
    plot = WIDTH - LEFT - RIGHT
    limit = scale([summary(row) for row in rows if summary(row)])
    bottom = top + 34 + ROW * len(rows)
    parts = [text(16, top + 18, f"{workload} on {link}", 15, weight="bold"),
             text(LEFT, top + 18, workloads.TITLES[workload], 12, color="#57606a")]
    step, mark = nice(limit), 0.0
    while mark <= limit * 1.0001:
        x = LEFT + plot * mark / limit
        parts += [f'<line x1="{x:.1f}" y1="{top + 30}" x2="{x:.1f}" y2="{bottom}" stroke="#e3e6e8"/>',
                  text(x, bottom + 14, f"{mark:g} s", 11, "middle", "#57606a")]
        mark += step
    for index, row in enumerate(rows):
        y, one = top + 34 + ROW * index, summary(row)
        parts.append(text(LEFT - 10, y + 13, row["contestant"], anchor="end", weight="bold" if row["kind"] == "disksync" else "normal"))
        if not one:
            parts.append(text(LEFT + 6, y + 13, row.get("failed", "not run")[:90], 12, color="#a40e26"))
            continue
        at = {name: LEFT + plot * min(one[name] / limit, 1.0) for name in ("median", "min", "max")}
        middle = y + 1 + BAR / 2
        width = max(at["median"] - LEFT, 1)
        parts += [f'<rect x="{LEFT}" y="{y + 1}" width="{width:.1f}" height="{BAR}" fill="{COLORS[row["kind"]]}"/>',
                  f'<line x1="{at["min"]:.1f}" y1="{middle}" x2="{at["max"]:.1f}" y2="{middle}" stroke="#1b1f23" stroke-width="1.5"/>']
        parts += [f'<line x1="{at[end]:.1f}" y1="{middle - 4}" x2="{at[end]:.1f}" y2="{middle + 4}" stroke="#1b1f23" stroke-width="1.5"/>'
                  for end in ("min", "max")]
        if one["median"] > limit:
            # Cut off: its figure is at the right, and the gap says that the bar is longer than it looks.
            x = LEFT + plot - 30
            parts.append(f'<path d="M{x} {y + 18} l8 -{BAR + 4} h8 l-8 {BAR + 4} z" fill="#ffffff"/>')
        cpu = "" if row["gauge"] else f" · {one['cpuPerGib']:.2f}"
        parts.append(text(WIDTH - RIGHT + 12, y + 13, f"{one['median']:.3f} s{cpu}", 12))
    return parts, bottom + 34


def draw(about, rows):
    scaled = f"; SCALED to 1/{about['scale']}, not the real figures" if about["scale"] != 1 else ""
    parts = [text(16, 30, "DiskSync and its peers: seconds until the copy is durable (shorter is better)", 18, weight="bold"),
             text(16, 50, f"{about['processor']}, {about['cores']} cores, Linux {about['kernel']}, files on {about['fileSystem']}, "
                  f"{about['date']}{scaled}", 12, color="#57606a"),
             text(16, 68, "Bars are medians (cut where there is a gap), whiskers the fastest and the slowest run.", 12, color="#57606a"),
             text(16, 86, "Right: median · CPU seconds per GiB of data, both sides together.", 12, color="#57606a")]
    x = 16
    for kind, name in KINDS.items():
        parts += [f'<rect x="{x}" y="98" width="14" height="12" fill="{COLORS[kind]}"/>', text(x + 20, 109, name, 12)]
        x += 40 + 7 * len(name)
    top = 130
    for key, group in cells(rows).items():
        more, top = panel(key, group, top)
        parts += more
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{top}" viewBox="0 0 {WIDTH} {top}" '
            'font-family="DejaVu Sans, Helvetica, Arial, sans-serif">\n'
            f'<rect width="{WIDTH}" height="{top}" fill="#ffffff"/>\n' + "\n".join(parts) + "\n</svg>")
