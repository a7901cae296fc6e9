#!/usr/bin/python3
"""Collects real file contents for W1: content OUTPUT BYTES ROOT...

Walks the roots in sorted order and takes the 4 KiB pieces of their files until OUTPUT has BYTES. A piece of zeros, a
piece that was there before, and a file's last piece where it is shorter are left out: so each 4 KiB block of OUTPUT
occurs once, and no contestant gains by finding content that only repeats. Prints JSON: bytes, files, roots.
"""
import hashlib
import json
import os
import stat
import sys

PIECE = 4096


def files(root):
    for folder, folders, names in os.walk(root):
        folders.sort()
        for name in sorted(names):
            path = os.path.join(folder, name)
            about = os.lstat(path)
            if stat.S_ISREG(about.st_mode) and about.st_size >= PIECE:
                yield path


def pieces(path):
    with open(path, "rb", buffering=0) as file:
        while data := file.read(1 << 20):
            for offset in range(0, len(data) - PIECE + 1, PIECE):
                yield data[offset:offset + PIECE]


def fresh_pieces(roots, used):
    seen = {hashlib.blake2b(bytes(PIECE), digest_size=10).digest()}
    for root in roots:
        for path in files(root):
            used.setdefault(root, 0)
            used[root] += 1
            for piece in pieces(path):
                key = hashlib.blake2b(piece, digest_size=10).digest()
                if key not in seen:
                    seen.add(key)
                    yield piece


def main(output, wanted, roots):
    total, used = 0, {}
    with open(output, "wb") as image:
        for piece in fresh_pieces(roots, used):
            image.write(piece)
            total += PIECE
            if total >= wanted:
                break
    print(json.dumps({"bytes": total, "files": sum(used.values()), "roots": list(used)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3:])
