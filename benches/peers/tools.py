"""What the comparisons share: commands, tools that are installed, and how numbers are shown."""

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
FOLDER = Path(os.environ.get("BENCH_FOLDER") or Path(tempfile.gettempdir()) / "brownout-peers")
ROUNDS = max(1, int(os.environ.get("BENCH_ROUNDS") or 5))

# The Python of a distribution is built with optimisations; one built by hand often is not, and a quarter slower.
PYTHONS = [os.environ["BENCH_PYTHON"]] if "BENCH_PYTHON" in os.environ else ["/usr/bin/python3", sys.executable]


class Failed(Exception):
    """A step that went wrong, and why in one line."""


def output_of(*command, cwd=ROOT):
    """What a command prints; raises `Failed` with its first line that speaks of an error, else its last."""
    try:
        done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True)
    except OSError as error:
        raise Failed(str(error)) from error
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
        raise Failed(next((line for line in lines if "error" in line.lower()), lines[-1]).strip()[:120])
    return done.stdout


def brownout():
    """Builds `brownout`, and tells where it is and its version."""
    output_of("cargo", "build", "--release", "--locked", "--bin", "brownout")
    metadata = json.loads(output_of("cargo", "metadata", "--no-deps", "--locked", "--format-version", "1"))
    program = Path(metadata["target_directory"]) / "release" / "brownout"
    return program, output_of(program, "--version").split()[1]


def rust(program, feature=None, crate=None):
    """Builds a program of this folder, and tells where it is and the version of its crate, or of the compiler."""
    features = ["--features", feature] if feature else []
    build = ["cargo", "build", "--release", "--locked", "--manifest-path", HERE / "Cargo.toml"]
    output_of(*build, "--target-dir", FOLDER / "target", "--bin", program, *features)
    if crate:
        version = re.search(rf'name = "{crate}"\nversion = "(.*)"', (HERE / "Cargo.lock").read_text())[1]
    else:
        version = "rustc " + output_of("rustc", "--version").split()[1]
    return FOLDER / "target" / "release" / program, version


def interpreter():
    """The Python of an environment of our own: the one that is there, else made by the first candidate that can."""
    own = FOLDER / "venv" / "bin" / "python"
    for candidate in [None, *PYTHONS]:
        try:
            if candidate:
                output_of(candidate, "-m", "venv", "--clear", FOLDER / "venv")
            output_of(own, "-m", "pip", "--version")
            return own
        except Failed as failed:
            reason = str(failed)
    raise Failed(f"no Python that can make an environment: {reason}")


def install(tools):
    """Installs the tools of a list whose second members do that: what is ready, and what is not, with why."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    ready, notes = {}, {}
    for name, how in tools:
        talk(f"installing {name}")
        try:
            ready[name] = how()
        except Failed as failed:
            notes[name] = f"not installed: {failed}"
    return ready, notes


def digits(number):
    """Three digits that count."""
    return f"{number:.0f}" if number >= 1000 else f"{number:#.3g}".rstrip(".")


def talk(text):
    print(text, file=sys.stderr, flush=True)


def load_average():
    return "%.1f" % os.getloadavg()[0]


def table(rows):
    """Prints rows in columns, the last to the right; a row whose last cell is empty does not widen its column."""
    widths = [max(len(row[at]) for row in rows if at < 2 or row[-1]) for at in range(len(rows[0]) - 1)]
    for row in rows:
        print("  ".join([*(cell.ljust(width) for cell, width in zip(row, widths)), row[-1].rjust(10)]).rstrip())
