"""What is handed to the Python that runs a supervisor: its modules, each with its bytecode."""

import subprocess
import sys
from pathlib import Path

from wpk_sandbox.sandbox.shells import delivery


def laid_out(tmp_path: Path) -> Path:
    """A package of one module in a folder of its own, as it was handed over."""
    source = tmp_path / "source" / "said"
    source.mkdir(parents=True)
    (source / "__init__.py").write_text("")
    (source / "words.py").write_text("print('from the', 'module')\n")
    folder = tmp_path / "handed over"
    for path, content in delivery.package(str(folder), sorted(source.glob("*.py"))).items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)
    return folder


def imported(folder: Path) -> str:
    script = f"import sys; sys.path.insert(0, {str(folder)!r}); import said.words"
    done = subprocess.run([sys.executable, "-I", "-B", "-c", script], capture_output=True, text=True, check=False)
    return done.stdout or done.stderr.splitlines()[-1]


def test_bytecode_is_taken_without_a_look_at_the_source(tmp_path: Path) -> None:
    folder = laid_out(tmp_path)
    (folder / "said" / "words.py").write_text("this is no program")
    assert imported(folder) == "from the module\n"
    for path in folder.glob("said/__pycache__/*"):
        path.unlink()
    assert "SyntaxError" in imported(folder)


def test_python_of_another_version_takes_the_source(tmp_path: Path) -> None:
    folder = laid_out(tmp_path)
    for path in folder.glob("said/__pycache__/*"):
        path.write_bytes(b"????" + path.read_bytes()[4:])
    assert imported(folder) == "from the module\n"


def test_supervisor_has_its_bytecode_beside_each_module() -> None:
    handed = delivery.supervisor("/run/wpk")
    modules = [path for path in handed if path.startswith("/run/wpk/supervisor/") and path.endswith(".py")]
    assert "/run/wpk/supervisor/main.py" in modules
    bytecode = {Path(path).name.partition(".")[0] for path in handed if path.endswith(".pyc")}
    assert bytecode == {Path(path).stem for path in modules}
