#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The model's arrows of a slot are those of the layout and of the code. usage: arrows.py SOURCE

Three lists: the one at ShmSlot in kernel/abi/layout.h, the functions of kernel/shm/slot.c, the inlines of
tests/model/slot.pml. Compared are the states' numbers, each arrow FROM -> TO with its function, and the flags
that the exchange drops and adds.
"""
import pathlib
import re
import sys

ARROW = re.compile(r'^ \* (\w+) +-> (\w+) +(?:client|server|daemon).*? (slot_\w+)$', re.M)
STATE = re.compile(r'SLOT_(?:IDLE|SEND|REPLY|DONE|GONE|ASLEEP|UNBLOCK|TELL|STATE_MASK|GENERATION_SHIFT)')
MOVE_C = re.compile(r'\bmove\(slot, [^,]+(?:\([^)]*\))*, (\S+), (\S+),\s+([^,]+), ([^,]+), &old\)')
MOVE_MODEL = re.compile(r'MOVE\(c, (?:GENERATION\(\w+\)|\w+), (\w+), (\w+), ([^,]+), ([^,)]+)\)')
STORE = re.compile(r'(SLOT_\w+)(?: or (SLOT_\w+))? -> (SLOT_\w+)')


def constants(text):
    found = {}
    for name, value in re.findall(r'(?:#define\s+)?(SLOT_\w+)\s*=?\s+(0x[0-9a-f]+u?|\d+)\b', text):
        if STATE.fullmatch(name):
            found[name] = int(value.rstrip('u'), 0)
    return found


def flags(text):
    return frozenset(word for word in re.split(r'[\s|]+', text) if word != '0')


def functions(text, opening):
    """The text from each function's head to the next one's."""
    heads = list(re.finditer(opening, text, re.M))
    ends = [head.start() for head in heads[1:]] + [len(text)]
    return {head[1]: text[head.start():end] for head, end in zip(heads, ends)}


def short(state):
    return state.removeprefix('SLOT_')


def model_arrows(text):
    arrows, exchanged = set(), {}
    parts = functions(text, r'^inline (slot_\w+)\(')
    for name, body in parts.items():
        before = text[:text.index(body)].rstrip().rpartition('/*')[2]
        for source, target, drop, add in MOVE_MODEL.findall(body):
            arrows.add((short(source), short(target), name))
            exchanged.setdefault(name, set()).add((flags(drop), flags(add)))
        for first, second, target in STORE.findall(before) if 'MOVE' not in body else []:
            arrows |= {(short(source), short(target), name) for source in (first, second) if source}
    return arrows, exchanged


def code_exchanges(text):
    exchanged = {}
    for name, body in functions(text, r'^(?:static )?(?:bool|void|uint32_t) (\w+)\(ShmSlot').items():
        for _, _, drop, add in MOVE_C.findall(body):
            exchanged.setdefault('slot_fail' if name == 'fail' else name, set()).add((flags(drop), flags(add)))
    return exchanged


def compare(what, one, other):
    if one == other:
        return 0
    for item in sorted(map(str, one - other)):
        print(f'{what}: only in the source: {item}')
    for item in sorted(map(str, other - one)):
        print(f'{what}: only in the model: {item}')
    return 1


def pairs(exchanged):
    return {(name, f'drops {sorted(drop)}, adds {sorted(add)}') for name, of in exchanged.items() for drop, add in of}


def main(source):
    layout = (source / 'kernel/abi/layout.h').read_text()
    code = (source / 'kernel/shm/slot.c').read_text()
    model = (source / 'tests/model/slot.pml').read_text()
    listed = set(ARROW.findall(layout[layout.index('ShmSlot: one MsgSend'):layout.index('ASLEEP is set')]))
    arrows, exchanged = model_arrows(model)
    in_code = code_exchanges(code)
    n_failed = compare('state', set(constants(layout).items()), set(constants(model).items()))
    n_failed += compare('arrow', listed, arrows)
    n_failed += compare('flags', pairs(in_code), pairs(exchanged))
    if len(listed) < 8 or len(in_code) < 6:
        print(f'the lists were not found: {len(listed)} arrows, {len(in_code)} functions')
        n_failed += 1
    print(f'{len(listed)} arrows, {len(in_code)} exchanges')
    print(f'arrows: 3 tests, {min(n_failed, 3)} failed, 0 skipped')
    return 1 if n_failed else 0


sys.exit(main(pathlib.Path(sys.argv[1])))
