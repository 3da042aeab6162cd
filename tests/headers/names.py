#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The headers, the symbol map, the library and the manual name the same functions.

usage: names.py MAP GENERATE [--library FILE NM] HEADER... [--more HEADER...]
"""
import os
import re
import subprocess
import sys

def declared(paths):
    """Each function with the name it is linked by: its own, or the one in __asm__("...")."""
    names = {}
    for path in paths:
        with open(path) as file:
            text = re.sub(r'/\*.*?\*/', '', file.read(), flags=re.S)
        text = re.sub(r'^\s*#(?:.*\\\n)*.*$', '', text, flags=re.M)
        for match in re.finditer(r'^\w[\w ]*?[ *](\w+)\([^;{]*\);', text, flags=re.M):
            label = re.search(r'__asm__\("(\w+)"\)', match[0])
            names[match[1]] = label[1] if label else match[1]
    return names


def renamed(paths):
    """POSIX's calls that only have other names when they are linked: POSIX's manual describes them."""
    root = os.path.dirname(os.path.dirname(next(path for path in paths if path.endswith('sys/neutrino.h'))))
    return set(declared([os.path.join(root, 'sched.h'), os.path.join(root, 'pthread.h')]).values())


def mapped(path):
    with open(path) as file:
        text = re.sub(r'#.*', '', file.read())
    return set(re.findall(r'^\s+(\w+);', text, flags=re.M))


def interposed(path):
    """Names of libc that the library stands before, in the map's own words; libc's headers declare them."""
    names, is_libc = set(), False
    with open(path) as file:
        for line in file:
            if line.lstrip().startswith('#'):
                is_libc = 'In place of libc' in line or (is_libc and is_comment)
                is_comment = True
                continue
            is_comment = False
            name = re.match(r'^\s+(\w+);', line)
            if name and is_libc:
                names.add(name[1])
    return names


def defined(library, nm):
    listing = subprocess.run([nm, '-D', '--defined-only', library], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    symbols = [line.split() for line in listing.splitlines()]
    return {symbol[-1].split('@')[0] for symbol in symbols if symbol[-2] in 'TWiVDBR'}


def manual(generate, headers):
    listing = subprocess.run([sys.executable, generate, '--list', *headers], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    return {page[:-len('.3')] for page in listing.split()}


def same(left, left_name, right, right_name):
    for name in sorted(left - right):
        print('not ok: %s is in %s, not in %s' % (name, left_name, right_name))
    for name in sorted(right - left):
        print('not ok: %s is in %s, not in %s' % (name, right_name, left_name))
    return left == right


def main():
    map_path, generate, *rest = sys.argv[1:]
    library = None
    more = []
    if rest[0] == '--library':
        library, rest = rest[1:3], rest[3:]
    if '--more' in rest: # declared, without a page of the manual for each function
        at = rest.index('--more')
        rest, more = rest[:at], rest[at + 1:]
    functions = declared(rest)
    if not functions:
        print('not ok: no function found in', *rest)
        return 1
    fine = same(set(declared(rest + more).values()) | interposed(map_path) | renamed(rest), 'the headers', mapped(map_path), 'the map')
    fine &= same(set(functions), 'the headers', manual(generate, rest), 'the manual')
    if library:
        fine &= same(mapped(map_path), 'the map', defined(*library), 'the library')
    print('%d functions, library %s' % (len(functions), 'looked at' if library else 'not built'))
    return 0 if fine else 1


sys.exit(main())
