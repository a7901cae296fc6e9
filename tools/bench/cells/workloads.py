"""The images W1 to W6: made once, deterministic, kept in the work folder; copied to where the cells run."""
import json
import os
import random
import shutil
import subprocess
import sys

from machine import GIB, MIB, run, say

PIECE = 4096
# Large packages, in this order, where the machine has too few files of its own; unpacked, never installed.
MORE_PACKAGES = ("libreoffice-core", "gcc-12", "llvm-14-dev", "golang-1.19-go", "openjdk-17-jre-headless", "ghc", "chromium",
                 "firefox-esr", "libboost1.81-dev", "texlive-fonts-extra", "qemu-system-x86", "linux-image-amd64")

TITLES = {
    "W1": "full: real file contents, destination empty",
    "W1r": "full: random bytes, which do not compress, destination empty",
    "W2": "sparse: the Debian base image, destination empty",
    "W3": "scattered: 1% of the 4 KiB blocks changed, destination has the old image",
    "W3d": "diff: which blocks of W3 changed, both images on one machine",
    "W4": "upgrade: base image at the destination, packages installed at the source",
    "W5": "unchanged: W1 again",
    "W5h": "unchanged: W6 again",
    "W6": "huge: sparse, its data in 10,000 extents, destination empty",
    "W6d": "huge's data alone: the same bytes without the holes, destination empty",
}


SLICES = {"L2": 256 * MIB, "L3": 16 * MIB}  # of W1, by link


class Workload:
    """A source image, and for some the image that the destination holds before."""

    def __init__(self, name, source, old=None, note=""):
        self.name, self.title, self.source, self.old, self.note = name, TITLES[name.partition("/")[0]], source, old, note
        self.length = os.path.getsize(source)
        self.data = os.stat(source).st_blocks * 512


class Images:
    """Makes images on demand. kept: the folder where they are kept between runs; place: where the cells run."""

    def __init__(self, kept, place, images, scale, slices):
        self.kept, self.place, self.images, self.scale, self.slices = kept, place, images, scale, slices
        self.facts = {}
        os.makedirs(kept, exist_ok=True)
        os.makedirs(place, exist_ok=True)

    def workload(self, name, link):
        """The workload as a link has it: whole on L0 and L1, a slice on the slow ones."""
        base = name.rstrip("rdh")
        if base == "W4":
            return Workload(name, self.placed("debian-app.img", self.images), self.placed("debian-base.img", self.images))
        if name == "W2":
            return Workload(name, self.placed("debian-base.img", self.images))
        if name == "W5h":
            return Workload(name, self.huge("W6"), self.huge("W6"))
        if base == "W6":
            return Workload(name, self.huge(name))
        whole = self.random_bytes() if name == "W1r" else self.real()
        size = self.slices.get(link)
        if size and base == "W1":
            size //= self.scale
            return Workload(name, self.slice(whole, size), note=f"{size // MIB} pieces of 1 MiB from all over it")
        if base == "W3":
            return Workload(name, self.scattered(), self.real())
        return Workload(name, whole, whole if base == "W5" else None)

    def make(self, name, maker):
        """A file of the place; maker(path) writes it under another name first, so that what is there is whole."""
        path = os.path.join(self.place, name)
        if not os.path.exists(path):
            maker(path + ".new")
            os.rename(path + ".new", path)
        return path

    def placed(self, name, folder):
        return self.make(name, lambda new: run("cp", "--sparse=always", os.path.join(folder, name), new))

    def real(self):
        length = 4 * GIB // self.scale
        kept = os.path.join(self.kept, f"real-{length // MIB}.img")
        if not os.path.exists(kept):
            self.collect(kept, length)
        with open(kept + ".json", encoding="utf-8") as file:
            self.facts["W1"] = json.load(file)
        return self.placed(os.path.basename(kept), self.kept)

    def collect(self, kept, length):
        """Other processes do the work: their memory would count as that of all that we start later."""
        roots = ["/usr", "/opt"]
        more = os.path.join(self.kept, "packages")
        say(f"collecting {length // MIB} MiB of real file contents")
        for package in (None, *MORE_PACKAGES):
            if package:
                say(f"not enough on this machine: unpacking {package}, too")
                unpack(package, os.path.join(more, package))
                roots.append(os.path.join(more, package))
            found = run(sys.executable, os.path.join(os.path.dirname(__file__), "content.py"), kept + ".new", str(length), *roots)
            if json.loads(found)["bytes"] == length:
                break
        else:
            raise RuntimeError(f"only {json.loads(found)['bytes'] >> 20} MiB of distinct file contents found: --scale 2 or more")
        with open(kept + ".json", "w", encoding="utf-8") as file:
            file.write(found)
        os.rename(kept + ".new", kept)
        shutil.rmtree(more, ignore_errors=True)

    def random_bytes(self):
        length = 4 * GIB // self.scale
        return self.make(f"random-{length // MIB}.img", lambda new: copy_bytes("/dev/urandom", new, length))

    def slice(self, whole, length):
        """Pieces of 1 MiB from all over the whole, so that it compresses as the whole does."""
        name = os.path.basename(whole).replace(".img", f"-slice-{length // MIB}.img")
        step = os.path.getsize(whole) // (length // MIB)

        def cut(new):
            with open(whole, "rb") as source, open(new, "wb") as file:
                for piece in range(length // MIB):
                    source.seek(piece * step)
                    file.write(source.read(MIB))
        return self.make(name, cut)

    def scattered(self):
        old = self.real()

        def change(new):
            shutil.copyfile(old, new)
            dice = random.Random(3)
            blocks = os.path.getsize(old) // PIECE
            with open(new, "r+b") as file:
                for block in sorted(dice.sample(range(blocks), blocks // 100)):
                    file.seek(block * PIECE)
                    file.write(dice.randbytes(PIECE))
        return self.make(os.path.basename(old).replace("real", "scattered"), change)

    def huge(self, name):
        """10,000 extents of 212 KiB (2.02 GiB), at seeded places of a sparse tebibyte; W6d has the same bytes in one piece."""
        count, size, span = 10_000 // self.scale, 53 * PIECE, (1 << 40) // self.scale
        whole = self.real()

        def fill(new):
            dice = random.Random(6)
            with open(new, "wb") as file, open(whole, "rb") as contents:
                for extent in range(count):
                    data = contents.read(size)
                    if len(data) < size:
                        raise RuntimeError("W1 is too short for W6")
                    if name == "W6":
                        step = span // count // PIECE
                        file.seek((extent * step + dice.randrange(step - size // PIECE)) * PIECE)
                    file.write(data)
                if name == "W6":
                    file.truncate(span)
        return self.make(f"{name}-{self.scale}.img", fill)

    def forget(self, keep):
        """Removes images that the next cells do not need: memory is scarce where the place is a tmpfs."""
        for name in os.listdir(self.place):
            path = os.path.join(self.place, name)
            if name.endswith(".img") and path not in keep:
                os.remove(path)


def copy_bytes(source, target, length):
    run("dd", f"if={source}", f"of={target}", "bs=1M", f"count={length}", "iflag=count_bytes,fullblock", "status=none")


def unpack(package, folder):
    """Downloads a package and unpacks its files; a package that is not there is passed over."""
    os.makedirs(folder, exist_ok=True)
    try:
        run("apt-get", "download", "-qq", package, cwd=folder)
        for archive in [name for name in os.listdir(folder) if name.endswith(".deb")]:
            run("dpkg-deb", "-x", archive, ".", cwd=folder)
            os.remove(os.path.join(folder, archive))
    except RuntimeError as error:
        say(str(error))


def changed_pieces(workload):
    """The 4 KiB blocks of the source that differ from the old image and are not zero: their number, and their bytes
    compressed by lz4 -1."""
    zero, count = bytes(MIB), 0
    packer = subprocess.Popen(["lz4", "-1", "-c"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    counter = subprocess.Popen(["wc", "-c"], stdin=packer.stdout, stdout=subprocess.PIPE)
    packer.stdout.close()
    with open(workload.source, "rb") as new, open(workload.old, "rb") as old:
        while after := new.read(MIB):
            before = old.read(len(after)).ljust(len(after), b"\0")
            if after == before or after == zero:
                continue
            for offset in range(0, len(after), PIECE):
                piece = after[offset:offset + PIECE]
                if piece != before[offset:offset + PIECE] and piece.strip(b"\0"):
                    packer.stdin.write(piece)
                    count += 1
    packer.stdin.close()
    packed = int(counter.communicate()[0])
    packer.wait()
    return count, packed


def same(source, target):
    """Whether two images are the same, judged by cmp; where both have the same holes, only the data between them is
    given to cmp, since comparing a tebibyte of holes takes minutes."""
    if os.path.getsize(source) < 16 * GIB:
        return subprocess.run(["cmp", "--silent", source, target], check=False).returncode == 0
    if os.path.getsize(source) != os.path.getsize(target):
        return False
    for start, end in merged(extents(source) + extents(target)):
        if subprocess.run(["cmp", "--silent", f"--bytes={end - start}", f"--ignore-initial={start}", source, target],
                          check=False).returncode != 0:
            return False
    return True


def extents(path):
    """[start, end) of each extent of data, as SEEK_DATA and SEEK_HOLE find them."""
    found, position = [], 0
    with open(path, "rb") as file:
        while True:
            try:
                start = os.lseek(file.fileno(), position, os.SEEK_DATA)
            except OSError:
                return found
            position = os.lseek(file.fileno(), start, os.SEEK_HOLE)
            found.append((start, position))


def merged(ranges):
    """The union of ranges, in order, each as long as it gets."""
    union = []
    for start, end in sorted(ranges):
        if union and start <= union[-1][1]:
            union[-1][1] = max(union[-1][1], end)
        else:
            union.append([start, end])
    return union
