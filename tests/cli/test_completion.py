"""`grapheme --completion`: the shell itself is asked what it would offer."""

import shutil
import subprocess
from pathlib import Path

import pytest

from .commands import Capture, output, refused

shtab = pytest.importorskip("shtab")

OFFERED = [
    (["c"], {"check-gradients", "compare", "convert"}),
    (["predict", "--nb"], {"--nbest"}),
    (["predict", "--constraint", ""], {"auto", "none", "path", "tree", "acyclic", "learned"}),
    (["train", "--batch"], {"--batch-size"}),
    (["train", "--network.slots.per"], {"--network.slots.per-node"}),
    (["convert", "conl"], {"conllu"}),
]


@pytest.mark.repeats
def test_bash_offers_commands_options_and_choices(capsys: Capture, tmp_path: Path) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("there is no bash")
    script = tmp_path / "completion.sh"
    script.write_text(output(capsys, "--completion", "bash"), encoding="utf-8")
    asked = [f"source {script}"]
    for words, _ in OFFERED:
        quoted = " ".join(f"'{word}'" for word in words)
        asked.append(f"COMP_WORDS=(grapheme {quoted}); COMP_CWORD={len(words)}; COMPREPLY=()")
        asked.append('_shtab_grapheme; echo "${COMPREPLY[@]}"')
    found = subprocess.run(
        [bash, "-c", "\n".join(asked)], capture_output=True, text=True, check=True
    )
    offered = [set(line.split()) for line in found.stdout.splitlines()]
    assert offered == [wanted for _, wanted in OFFERED]


@pytest.mark.parametrize("shell", ["zsh", "tcsh"])
def test_other_shells_have_a_script(capsys: Capture, shell: str) -> None:
    printed = output(capsys, "--completion", shell)
    assert "check-gradients" in printed
    assert "None" not in printed.split()


@pytest.mark.parametrize("words", [["--completion"], ["--completion", "dos"]])
def test_an_unknown_shell_is_refused(capsys: Capture, words: list[str]) -> None:
    got = repr(words[1]) if len(words) > 1 else "''"
    message = refused(capsys, *words)
    assert message.startswith("--completion must name one of bash, ")
    assert f", got {got}. Try: eval" in message
