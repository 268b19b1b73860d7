"""The shape of the house, read from the syntax trees: floors, names, sizes."""

import ast
from functools import cache
from pathlib import Path

from i2icli import registry

PACKAGE = Path(__file__).parents[1] / "i2icli"
FILES = sorted(path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py"))

FLOORS: dict[str, int] = {
    "__init__": 0,
    "chatter": 0,
    "errors": 0,
    "checkpoint_files": 0,
    "config": 0,
    "growable": 0,
    "classes": 0,
    "conditions": 0,
    "written": 0,
    "class_files": 0,
    "encode_options": 0,
    "class_lists": 0,
    "label_config": 0,
    "fields": 0,
    "files": 0,
    "home": 0,
    "logs": 0,
    "registry": 0,
    "recipe": 0,
    "recipes": 0,
    "machine": 0,
    "marks": 0,
    "metadata": 0,
    "pair_config": 0,
    "pair_pattern": 0,
    "perceptual": 0,
    "processors": 0,
    "runs": 0,
    "request": 0,
    "backend": 0,
    "stage": 0,
    "task": 0,
    "value_range": 0,
    "reading": 0,
    "setting_types": 0,
    "nn": 1,
    "image": 1,
    "face": 1,
    "flow": 1,
    "scores": 1,
    "downloads": 1,
    "report": 2,
    "video": 2,
    "labels": 2,
    "losses": 2,
    "data": 3,
    "weights": 3,
    "detector": 4,
    "system": 4,
    "originals": 4,
    "backbones": 5,
    "hub": 5,
    "extractors": 6,
    "systems": 7,
    "runtime": 8,
    "graphs": 8,
    "export": 9,
    "training": 10,
    "inference": 10,
    "demo": 11,
    "cli": 12,
    "python": 13,
    "__main__": 13,
}
"""Rooms (top-level modules and folders) by floor; imports go downwards or stay in the room."""

LIGHT = frozenset({0, 12, 13})  # floors whose import must not cost torch, as every --help passes there
HEAVY = frozenset({"torch", "torchvision", "tensorboard"})

LONGEST_FILE, LONGEST_FUNCTION = 300, 40

LONG_FILES: dict[str, str] = {}
"""Files that may be longer, and why."""

LONG_FUNCTIONS: dict[str, str] = {
    "cli/detect_fake.py:detect_fake": "a command's options are its signature",
    "cli/labels.py:convert": "a command's options are its signature",
    "cli/export.py:export": "a command's options are its signature",
    "cli/detector.py:fit": "a command's options are its signature",
    "cli/detector.py:evaluate": "a command's options are its signature",
}
"""Functions that may be longer, and why."""

PRINTERS = frozenset({"cli", "__main__"})  # rooms that talk to the user


@cache
def tree(file: Path) -> ast.Module:
    return ast.parse((PACKAGE / file).read_text(encoding="utf-8"))


def room(file: Path) -> str:
    return file.parts[0].removesuffix(".py")


def floor(module: str) -> int:
    """The floor of a module "i2icli.systems.cyclegan.config"; a system's settings lie on the lowest."""
    parts = module.split(".")[1:] or ["__init__"]
    if parts[0] == "systems" and parts[-1] == "config":
        return 0
    return FLOORS[parts[0]]


def name_of(file: Path) -> str:
    return ".".join(["i2icli", *file.with_suffix("").parts]).removesuffix(".__init__")


def imported(file: Path, *, at_start: bool = False) -> set[str]:
    """Modules a file imports; `at_start`: only those that importing it imports, types left out."""
    found: set[str] = set()
    waiting: list[ast.AST] = [tree(file)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import"
            assert node.module
            found |= {_module(f"{node.module}.{alias.name}", node.module) for alias in node.names}
        only_typed = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        if at_start and (only_typed or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)):
            continue
        waiting += ast.iter_child_nodes(node)
    return found


def _module(full: str, module: str) -> str:
    """What `from module import name` imports: `full` = module.name if that is a module itself."""
    path = PACKAGE.parent / Path(*full.split("."))
    return full if path.is_dir() or path.with_suffix(".py").is_file() else module


def ours(modules: set[str]) -> set[str]:
    return {module for module in modules if module.split(".")[0] == "i2icli"}


def public(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_")


def functions(file: Path) -> list[ast.FunctionDef]:
    return [node for node in ast.walk(tree(file)) if isinstance(node, ast.FunctionDef)]


def length(node: ast.FunctionDef) -> int:
    return (node.end_lineno or 0) - node.lineno + 1


def lines(file: Path) -> int:
    return len((PACKAGE / file).read_text(encoding="utf-8").splitlines())


def test_every_room_has_a_floor():
    assert {room(file) for file in FILES} <= FLOORS.keys()


def test_imports_go_downwards_or_stay_in_the_room():
    def allowed(own: str, module: str) -> bool:
        same_room = own.split(".")[1:2] == module.split(".")[1:2]
        return same_room or floor(module) < floor(own) or floor(module) == floor(own) == 0

    # What a function of the lowest floor loads when it is called may lie above it.
    wrong = [
        f"{file} imports {module}"
        for file in FILES
        for module in ours(imported(file, at_start=floor(name_of(file)) == 0))
        if not allowed(name_of(file), module)
    ]
    assert wrong == []


def test_nobody_imports_a_system_but_the_system_itself():
    wrong = []
    for file in FILES:
        for module in ours(imported(file)):
            _, *parts = module.split(".")
            foreign = parts[:1] == ["systems"] and len(parts) > 1 and Path(*parts[:2]) not in file.parents
            wrong += [f"{file} imports {module}"] if foreign else []
    assert wrong == []


def test_only_the_registry_spells_the_modules_of_systems():
    wrong = [
        f"{file}:{node.lineno}"
        for file in FILES
        if file.name != "registry.py"
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and "i2icli.systems." in node.value
    ]
    assert wrong == []


def test_nobody_compares_with_the_name_of_a_system():
    wrong = []
    for file in FILES:
        for node in ast.walk(tree(file)) if room(file) != "systems" else ():
            if isinstance(node, ast.Compare | ast.match_case):
                said = {each.value for each in ast.walk(node) if isinstance(each, ast.Constant)}
                wrong += [f"{file}: {ast.unparse(node)}"] if said & registry.SYSTEMS.keys() else []
    assert wrong == [], "the contract is missing something"


def test_the_light_floors_start_without_torch():
    wrong = [
        f"{file} imports {module}"
        for file in FILES
        if floor(name_of(file)) in LIGHT
        for module in imported(file, at_start=True)
        if module.split(".")[0] in HEAVY or loads_torch(module)
    ]
    assert wrong == []


def loads_torch(module: str, seen: frozenset[str] = frozenset()) -> bool:
    """Whether importing one of our modules imports torch, directly or through others."""
    file = next((each for each in FILES if name_of(each) == module), None)
    if file is None or module in seen:
        return False
    modules = imported(file, at_start=True)
    if {each.split(".")[0] for each in modules} & HEAVY:
        return True
    return any(loads_torch(each, seen | {module}) for each in ours(modules))


def test_files_and_functions_are_short():
    long = [
        f"{file}: {lines(file)} lines"
        for file in FILES
        if lines(file) >= LONGEST_FILE and str(file) not in LONG_FILES
    ]
    long += [
        f"{file}:{node.lineno} {node.name}: {length(node)} lines"
        for file in FILES
        for node in functions(file)
        if length(node) > LONGEST_FUNCTION and f"{file}:{node.name}" not in LONG_FUNCTIONS
    ]
    assert long == []


def test_every_exception_from_shortness_is_still_needed():
    needed = {
        f"{file}:{node.name}" for file in FILES for node in functions(file) if length(node) > LONGEST_FUNCTION
    }
    assert LONG_FUNCTIONS.keys() <= needed
    assert LONG_FILES.keys() <= {str(file) for file in FILES if lines(file) >= LONGEST_FILE}


def test_only_the_command_line_prints():
    wrong = [
        f"{file}:{node.lineno}"
        for file in FILES
        if room(file) not in PRINTERS
        for node in ast.walk(tree(file))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert wrong == []


def test_click_stays_inside_typer():
    assert [
        str(file) for file in FILES if "click" in {module.split(".")[0] for module in imported(file)}
    ] == []


def test_networks_and_losses_never_see_settings():
    wrong = [
        f"{file} imports {module}"
        for file in FILES
        if room(file) in ("nn", "losses")
        for module in ours(imported(file))
        if module.split(".")[-1] in ("config", "system")
    ]
    assert wrong == []


def test_systems_leave_the_engine_s_work_to_the_engine():
    forbidden = {"backward", "zero_grad", "step", "cuda", "autocast"}
    wrong = []
    for file in (file for file in FILES if room(file) == "systems"):
        for node in ast.walk(tree(file)):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and node.func.attr in forbidden
            ):
                wrong.append(f"{file}:{node.lineno} calls .{node.func.attr}()")
            inside = ast.walk(node) if isinstance(node, ast.With) else ()
            if any(isinstance(each, ast.Yield | ast.YieldFrom) for each in inside):
                wrong.append(f"{file}:{node.lineno} yields inside with")
    assert wrong == []


def test_everything_public_says_what_it_is_for():
    silent = [str(file) for file in FILES if tree(file).body and not ast.get_docstring(tree(file))]
    silent += [
        f"{file}:{node.lineno} {node.name}"
        for file in FILES
        for node in tree(file).body
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and public(node) and not ast.get_docstring(node)
    ]
    assert silent == []
