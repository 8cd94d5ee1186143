#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""bytecode.py - workloads/programs/*.py, compiled by CPython 3.11 itself, become workloads/objects/programs.c.

    scripts/cpython/bytecode.py --write         compile, run on the model, write programs.c
    scripts/cpython/bytecode.py --compare       reference operations per bytecode, beside the bytecodes that CPython executes

The C interpreter runs CPython's own instructions, in CPython's own number: the model here executes them with a
stack of its own, checks the result against the program run by CPython, and counts bytecodes, births, bytes and
references taken. These counts are what workloads/objects/interpreter.c declares.

What an instruction takes and drops follows ceval.c of CPython 3.11 (`inputs` are dropped, unless they move): a
push of a variable, a constant, a global or an attribute takes one; a result is born; arguments, return values, and what is
stored or appended move. A comparison before a jump makes no bool, as in the specialized instruction; a method of a
built-in type is taken as the function it is.
Not in the model: the free lists; the instructions' inline caches, which CPython fills without counting; the few
references of the C functions that are called.
"""
from __future__ import annotations

import os
import sys

if __name__ == "__main__":                      # python3 -P leaves both out; ours of a name comes before scripts/'s
    sys.path[:0] = [os.path.dirname(os.path.realpath(__file__)), os.path.dirname(os.path.dirname(os.path.realpath(__file__)))]
import net

net.spread(__name__)

import collections
import dis
import pathlib
import types
from dataclasses import dataclass, field
from typing import Any

TOP = pathlib.Path(__file__).resolve().parent.parent.parent
FOLDER, OUTPUT = TOP / "workloads/programs", TOP / "workloads/objects/programs.c"
BUILTINS = ("range", "len", "str", "int")
METHODS = ("append", "get", "join", "split")                            # of list, dict, str
SMALL = range(-5, 257)
PUBLISHED = (0.33, 1.89)        # takes and drops of mortal objects per bytecode: CPython 3.13 built with --enable-pystats


# --- compiled: the instructions, in the form that the interpreter reads --------------------------------------------

@dataclass
class Function:
    name: str
    arguments: int
    locals: int
    stack: int
    constants: tuple[Any, ...]
    code: list[tuple[str, int]]


@dataclass
class Program:
    name: str
    idea: str
    source: str
    functions: list[Function] = field(default_factory=list)
    classes: dict[str, dict[str, int]] = field(default_factory=dict)    # methods: name -> index of a function
    names: list[str] = field(default_factory=list)                      # attributes and methods
    attributes: dict[str, list[str]] = field(default_factory=dict)      # of a class, in the order of __init__

    def globals(self) -> list[str]:
        return [*BUILTINS, *(f.name for f in self.functions), *self.classes]

    def name_index(self, name: str) -> int:
        if name not in self.names:
            self.names.append(name)
        return self.names.index(name)


def without_direction(name: str) -> str:
    return name.replace("FORWARD_", "").replace("BACKWARD_", "").replace("_FORWARD", "").replace("_BACKWARD", "")


def instruction(program: Program, code: types.CodeType, at: dis.Instruction, index: dict[int, int]) -> tuple[str, int]:
    name, argument = at.opname, at.arg or 0
    if "JUMP" in name or name == "FOR_ITER":
        return without_direction(name), index[at.argval]
    if name == "BINARY_OP":
        return name, argument % 13                                      # x += 1 is x = x + 1 of a number
    if name == "LOAD_GLOBAL":
        return "LOAD_GLOBAL_CALL" if argument & 1 else "LOAD_GLOBAL", program.globals().index(code.co_names[argument >> 1])
    if name in ("LOAD_ATTR", "STORE_ATTR", "LOAD_METHOD"):
        return name, program.name_index(code.co_names[argument])
    return name, argument


def compiled(program: Program, function: Function, code: types.CodeType) -> None:
    found = [i for i in dis.get_instructions(code) if i.opname not in ("EXTENDED_ARG", "CACHE")]
    index = {i.offset: number for number, i in enumerate(found)}
    for i, following in zip(found, found[1:]):                          # a jump to an EXTENDED_ARG is one to what it extends
        index.update({offset: index[following.offset] for offset in range(i.offset + 2, following.offset, 2)})
    function.code = [instruction(program, code, i, index) for i in found]


def codes(constants: tuple[Any, ...]) -> list[types.CodeType]:
    return [c for c in constants if isinstance(c, types.CodeType)]


def load(path: pathlib.Path) -> Program:
    source = path.read_text(encoding="utf-8")
    module = compile(source, path.name, "exec")
    program = Program(path.stem, module.co_consts[0].rstrip("."), source)
    bodies = []
    for code in codes(module.co_consts):
        if code.co_flags & 2:                                           # optimized: a function; else the body of a class
            bodies.append(code)
            program.functions.append(Function(code.co_name, 0, 0, 0, (), []))
            continue
        program.classes[code.co_name] = {}
        for method in codes(code.co_consts):
            program.classes[code.co_name][method.co_name] = len(bodies)
            bodies.append(method)
            program.functions.append(Function(f"{code.co_name}.{method.co_name}", 0, 0, 0, (), []))
            program.name_index(method.co_name)
            if method.co_name == "__init__":
                program.attributes[code.co_name] = [i.argval for i in dis.get_instructions(method) if i.opname == "STORE_ATTR"]
    for function, code in zip(program.functions, bodies):
        function.arguments, function.locals, function.stack = code.co_argcount, code.co_nlocals, code.co_stacksize
        function.constants = code.co_consts
        compiled(program, function, code)
    return program


def programs() -> list[Program]:
    return [load(path) for path in sorted(FOLDER.glob("*.py"))]


# --- executed by the model ------------------------------------------------------------------------------------------

@dataclass
class Profile:
    bytecodes: collections.Counter[str] = field(default_factory=collections.Counter)
    births: int = 0
    growths: int = 0                    # of lists and dicts: requests beside births
    bytes: int = 0                      # of both, without headers
    takes: int = 0
    result: int = 0

    @property
    def drops(self) -> int:
        """All that is born and taken in a call of main is dropped in it; its result too."""
        return self.births + self.takes


class Instance:
    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.values: dict[str, Any] = {}


class Room:
    """What a list or a dict has room for."""

    def __init__(self, items: Any) -> None:
        self.items, self.capacity, self.log2_slots = items, 0, 0


BINARY = {0: lambda a, b: a + b, 1: lambda a, b: a & b, 12: lambda a, b: a ^ b, 2: lambda a, b: a // b, 5: lambda a, b: a * b, 6: lambda a, b: a % b, 8: lambda a, b: a ** b,
          10: lambda a, b: a - b, 11: lambda a, b: a / b}
COMPARE = [lambda a, b: a < b, lambda a, b: a <= b, lambda a, b: a == b, lambda a, b: a != b, lambda a, b: a > b, lambda a, b: a >= b]
WORD = 8


class Model:
    def __init__(self, program: Program) -> None:
        self.program, self.profile = program, Profile()
        self.globals = program.globals()

    def born(self, words: float) -> None:
        self.profile.births += 1
        self.profile.bytes += int(words * WORD)

    def take(self, count: int = 1) -> None:
        self.profile.takes += count

    def value(self, made: Any) -> Any:
        """A result: born, unless it is one that exists once."""
        if isinstance(made, int):
            if not -2**63 <= made < 2**63:
                raise net.BadInput(f"{made}: an integer beyond 64 bits, which the interpreter has not")
            self.take() if made in SMALL else self.born(1)
        elif isinstance(made, float):
            self.born(1)
        else:
            self.born(4 + (len(made) + 1) / WORD)
        return made

    def room(self, made: Room, units: int, words: float) -> Room:
        made.capacity = units
        self.profile.growths += 1
        self.profile.bytes += int(words * WORD)
        return made

    def list(self, items: list[Any]) -> Room:
        self.born(3)
        made = Room(items)
        return self.room(made, len(items), len(items)) if items else made

    def append(self, to: Room, value: Any) -> None:
        if len(to.items) == to.capacity:
            grown = (to.capacity + 1 + (to.capacity + 1 >> 3) + 6) & ~3
            self.room(to, grown, grown)
        to.items.append(value)

    def put(self, to: Room, key: Any, value: Any) -> None:
        if key in to.items:
            self.take()
        else:
            self.take(2)
            if len(to.items) == to.capacity:
                log2_slots = max(3, (3 * len(to.items) - 1).bit_length())
                self.take(2)                                            # key and value are held while the table grows
                width = 1 if log2_slots < 8 else 2 if log2_slots < 16 else 4
                self.room(to, (2 << log2_slots) // 3, (2 << log2_slots) // 3 * 3 + (width << log2_slots) / WORD)
        to.items[key] = value

    # one line for each operation of the interpreter: what it takes and makes

    def call_builtin(self, name: str, a: list[Any]) -> Any:
        if name == "range":
            self.born(3)
            return range(*a)
        if name == "append":
            self.take()                                                 # the None that it returns
            return self.append(a[0], a[1])
        if name == "get":
            self.take()
            return a[0].items.get(a[1], a[2])
        if name == "split":
            words = self.list([])
            for word in a[0].split(a[1]):
                self.append(words, self.value(word))
            return words
        made = {"len": lambda x: len(x.items if isinstance(x, Room) else x), "str": str, "int": int,
                "join": lambda by, x: by.join(x.items)}[name](*a)
        return self.value(made)

    def call(self, function: Function, arguments: list[Any]) -> Any:
        self.take()                                                     # its code
        variables: list[Any] = [*arguments, *[None] * (function.locals - len(arguments))]
        stack: list[Any] = []
        at = 0
        while True:
            name, argument = function.code[at]
            self.profile.bytecodes[name] += 1
            at += 1
            if name == "RETURN_VALUE":
                return stack.pop()
            if name == "FOR_ITER":
                item = next(stack[-1], StopIteration)
                if item is StopIteration:
                    stack.pop()
                    at = argument
                else:
                    stack.append(item)
            elif name == "JUMP":
                at = argument
            elif name.endswith("NONE"):
                at = argument if (stack.pop() is None) != name.endswith("NOT_NONE") else at
            elif name.startswith("POP_JUMP"):
                at = argument if bool(stack.pop()) == name.endswith("TRUE") else at
            elif name == "COMPARE_OP":
                b, a = stack.pop(), stack.pop()
                stack.append(COMPARE[argument](a, b))
                if not function.code[at][0].startswith("POP_JUMP"):
                    self.take()
            else:
                getattr(self, name)(function, stack, variables, argument)

    def nothing(self, *_: Any) -> None:
        pass

    RESUME = PRECALL = nothing

    def LOAD_FAST(self, _: Function, s: list[Any], variables: list[Any], i: int) -> None:
        self.take()
        s.append(variables[i])

    def STORE_FAST(self, _: Function, s: list[Any], variables: list[Any], i: int) -> None:
        variables[i] = s.pop()

    def LOAD_CONST(self, f: Function, s: list[Any], _: Any, i: int) -> None:
        self.take()
        s.append(f.constants[i])

    def LOAD_GLOBAL(self, _: Function, s: list[Any], __: Any, i: int) -> None:
        self.take()
        s.append(self.globals[i])

    def LOAD_GLOBAL_CALL(self, f: Function, s: list[Any], v: Any, i: int) -> None:
        s.append(None)
        self.LOAD_GLOBAL(f, s, v, i)

    def POP_TOP(self, _: Function, s: list[Any], *__: Any) -> None:
        s.pop()

    def BINARY_OP(self, _: Function, s: list[Any], __: Any, i: int) -> None:
        b, a = s.pop(), s.pop()
        if isinstance(a, Room):
            self.take(b * len(a.items))
            s.append(self.list(a.items * b))
        else:
            s.append(self.value(BINARY[i](a, b)))

    def CONTAINS_OP(self, _: Function, s: list[Any], __: Any, i: int) -> None:
        b, a = s.pop(), s.pop()
        self.take()
        s.append((a in b.items) != bool(i))

    def BINARY_SUBSCR(self, _: Function, s: list[Any], *__: Any) -> None:
        b, a = s.pop(), s.pop()
        self.take()
        s.append(a.items[b])

    def STORE_SUBSCR(self, _: Function, s: list[Any], *__: Any) -> None:
        key, to, value = s.pop(), s.pop(), s.pop()
        if isinstance(to.items, dict):
            self.put(to, key, value)
        else:
            to.items[key] = value

    def BUILD_LIST(self, _: Function, s: list[Any], __: Any, n: int) -> None:
        items = s[len(s) - n:]
        del s[len(s) - n:]
        s.append(self.list(items))

    def BUILD_MAP(self, _: Function, s: list[Any], *__: Any) -> None:
        self.born(4)
        s.append(Room({}))

    def GET_ITER(self, _: Function, s: list[Any], *__: Any) -> None:
        over = s.pop()
        if isinstance(over, range):
            self.born(3)
            s.append(self.numbers(over))
        else:
            self.born(2)
            self.take()
            s.append(self.items(over.items))

    def numbers(self, over: range) -> Any:
        for number in over:
            yield self.value(number)

    def items(self, over: list[Any]) -> Any:
        for item in over:
            self.take()
            yield item

    def LOAD_ATTR(self, _: Function, s: list[Any], __: Any, i: int) -> None:
        self.take()
        s.append(s.pop().values[self.program.names[i]])

    def STORE_ATTR(self, _: Function, s: list[Any], __: Any, i: int) -> None:
        to, value = s.pop(), s.pop()
        to.values[self.program.names[i]] = value

    def LOAD_METHOD(self, _: Function, s: list[Any], __: Any, i: int) -> None:
        self.take()
        s.insert(len(s) - 1, self.program.names[i])

    def CALL(self, f: Function, s: list[Any], _: Any, n: int) -> None:
        given = s[len(s) - n - 2:]
        del s[len(s) - n - 2:]
        if given[0] is None:                                            # a function or a class
            given = given[1:]
        elif isinstance(given[1], Instance):
            return s.append(self.call(self.program.functions[self.program.classes[given[1].kind][given[0]]], given[1:]))
        name = given[0]
        if name in self.program.classes:
            return s.append(self.construct(name, given[1:]))
        for function in self.program.functions:
            if function.name == name:
                return s.append(self.call(function, given[1:]))
        s.append(self.call_builtin(name, given[1:]))

    def construct(self, kind: str, arguments: list[Any]) -> Instance:
        made = Instance(kind)
        self.born(2 + len(self.program.attributes[kind]))
        self.take(3)                                                    # its class; self; __init__
        self.call(self.program.functions[self.program.classes[kind]["__init__"]], [made, *arguments])
        return made

    def run(self) -> Profile:
        self.take()                                                     # main
        main = next(f for f in self.program.functions if f.name == "main")
        self.profile.result = self.call(main, [])
        return self.profile


def executed(program: Program) -> tuple[int, collections.Counter[str]]:
    """The result on this CPython, and the instructions that it executes, as sys.settrace shows them."""
    seen: collections.Counter[str] = collections.Counter()
    names: dict[types.CodeType, dict[int, str]] = {}

    def trace(frame: types.FrameType, event: str, _: Any) -> Any:
        frame.f_trace_opcodes = True
        if frame.f_code not in names:
            names[frame.f_code] = {i.offset: i.opname for i in dis.get_instructions(frame.f_code)}
        if event == "opcode":
            seen[names[frame.f_code][frame.f_lasti]] += 1
        return trace

    space: dict[str, Any] = {"__name__": program.name}
    exec(compile(program.source, program.name, "exec"), space)
    sys.settrace(trace)
    try:
        result = space["main"]()
    finally:
        sys.settrace(None)
    return result, seen


def as_interpreted(seen: collections.Counter[str]) -> collections.Counter[str]:
    """CPython's instructions by the interpreter's names: a jump is one forward or back."""
    return sum((collections.Counter({without_direction(name): count}) for name, count in seen.items()), collections.Counter())


def as_executed(counted: collections.Counter[str]) -> collections.Counter[str]:
    """The interpreter's instructions as sys.settrace shows CPython's: one LOAD_GLOBAL, and no RESUME."""
    shown = collections.Counter({name: count for name, count in counted.items() if name not in ("RESUME", "LOAD_GLOBAL_CALL")})
    shown["LOAD_GLOBAL"] += counted["LOAD_GLOBAL_CALL"]
    return shown


# --- written --------------------------------------------------------------------------------------------------------

def constant(value: Any) -> str:
    if value is None:
        return "{.kind = CONSTANT_NONE}"
    if isinstance(value, str):
        return '{.kind = CONSTANT_STRING, .text = "%s"}' % value.replace("\\", "\\\\").replace('"', '\\"')
    if isinstance(value, float):
        return "{.kind = CONSTANT_REAL, .real = %r}" % value
    return "{.kind = CONSTANT_INTEGER, .integer = %d}" % value


def lines(parts: list[str], indent: str = "    ", width: int = 118) -> str:
    out, line = [], indent
    for part in parts:
        if len(line) + len(part) + 2 > width:
            out.append(line.rstrip())
            line = indent
        line += part + ", "
    return "\n".join([*out, line.rstrip()])


def function_text(program: Program, number: int, function: Function) -> str:
    code = lines(["{%s, %d}" % step for step in function.code])
    constants = lines([constant(c) for c in function.constants])
    return (f"static const program_instruction {program.name}_code_{number}[] = {{      /* {function.name} */\n{code}\n}};\n"
            f"static const program_constant {program.name}_constants_{number}[] = {{\n{constants}\n}};\n")


def class_text(program: Program, kind: str) -> str:
    attributes, methods = program.attributes[kind], program.classes[kind]
    slots = [str(attributes.index(n) if n in attributes else -1) for n in program.names]
    functions = [str(methods.get(n, -1)) for n in program.names]
    return ('        {.name = "%s", .attributes = %d, .initializer = %d,\n         .slot = (const int8_t[]){%s},\n'
            "         .method = (const int8_t[]){%s}}," % (kind, len(attributes), methods["__init__"], ", ".join(slots), ", ".join(functions)))


def program_text(program: Program, profile: Profile) -> str:
    out = [f"/* --- {program.name}: {program.idea} --- */", ""]
    out += [function_text(program, number, function) for number, function in enumerate(program.functions)]
    out += [f"static const program {program.name}_program = {{", f'    .name = "{program.name}",', "    .functions = (const program_function[]){"]
    for number, f in enumerate(program.functions):
        out.append('        {.name = "%s", .arguments = %d, .locals = %d, .stack = %d, .code = %s_code_%d,\n'
                   "         .constants = %s_constants_%d, .constant_count = %d}," %
                   (f.name, f.arguments, f.locals, f.stack, program.name, number, program.name, number, len(f.constants)))
    out += ["    },", f"    .function_count = {len(program.functions)},"]
    if program.classes:
        out += ["    .classes = (const program_class[]){", *(class_text(program, kind) for kind in program.classes), "    },"]
    out += [f"    .class_count = {len(program.classes)},"]
    names = ", ".join('"%s"' % n for n in program.names)
    out += [f"    .names = (const char *const[]){{{names}{', ' if names else ''}NULL}},",
            f"    .main = {next(n for n, f in enumerate(program.functions) if f.name == 'main')},",
            f"    .result = {profile.result},",
            f"    .bytecodes = {profile.bytecodes.total()}, .births = {profile.births}, .growths = {profile.growths}, .bytes = {profile.bytes},",
            f"    .takes = {profile.takes},", "};", ""]
    return "\n".join(out)


def whole_text(all_programs: list[Program]) -> str:
    head = ("/* SPDX-License-Identifier: MIT\n * programs.c - workloads/programs/ as compiled by CPython 3.11: written by scripts/cpython/bytecode.py.\n"
            " *\n * What a call of main gives and costs was found by executing it on the model in that script. */\n#include \"program.h\"\n\n")
    body = "\n".join(program_text(p, Model(p).run()) for p in all_programs)
    table = "const program *const programs[] = {\n" + lines([f"&{p.name}_program" for p in all_programs]) + "\n    NULL,\n};\n"
    return head + body + "\n" + table


def compare(all_programs: list[Program]) -> None:
    print(f"CPython {sys.version.split()[0]}; takes and drops of references per bytecode, by the model; what CPython executes, by sys.settrace")
    print(f"{'program':10}{'bytecodes':>10}{'executed':>10}{'births':>8}{'takes':>8}{'drops':>8}{'both':>8}")
    for p in all_programs:
        profile = Model(p).run()
        result, seen = executed(p)
        if result != profile.result:
            raise net.Stopped(f"{p.name}: the model gives {profile.result}, CPython {result}")
        count = profile.bytecodes.total()
        shares = [events / count for events in (profile.births, profile.takes, profile.drops, profile.takes + profile.drops)]
        print(f"{p.name:10}{count:10}{seen.total():10}" + "".join(f"{share:8.2f}" for share in shares))
    print(f"takes and drops by CPython 3.13's own statistics, eight other programs: {PUBLISHED[0]} to {PUBLISHED[1]}; sys.settrace shows no RESUME")


def main() -> None:
    parser = net.Parser(description="Compile workloads/programs for the interpreter, and compare with CPython.")
    parser.add_argument("--write", action="store_true", help="write workloads/objects/programs.c")
    parser.add_argument("--compare", action="store_true", help="print reference operations per bytecode")
    asked = parser.parse_args()
    if asked.write and sys.version_info[:2] != (3, 11):
        raise net.Stopped("--write needs CPython 3.11: its instructions are the interpreter's")
    found = programs()
    if asked.write:
        OUTPUT.write_text(whole_text(found), encoding="utf-8")
    if asked.compare:
        compare(found)


if __name__ == "__main__":
    net.run("bytecode", main)
