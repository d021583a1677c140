"""Models on the Hugging Face Hub: a folder goes up, two files come down."""

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .._check import InputError, Received, refusal
from .._extras import needed
from ._card import CARD
from ._pretrained import CONFIG, WEIGHTS

_PART = r"[A-Za-z0-9][A-Za-z0-9._-]{0,95}"
_NAME = re.compile(rf"{_PART}/{_PART}")


def is_hub_name(folder: str | os.PathLike[str]) -> bool:
    """Whether this is a name on the Hub: a text "owner/name" where no such folder is."""
    return isinstance(folder, str) and bool(_NAME.fullmatch(folder)) and not os.path.lexists(folder)


@contextmanager
def downloaded(
    name: str,
    *,
    revision: str | None,
    token: str | bool | None,
    cache_dir: str | Path | None,
    local_files_only: bool,
) -> Iterator[Path]:
    """A folder, for a while, with the description and the weights of a model on the Hub.

    The cache of the Hub holds links into a store. Copies of what they lead to are yielded, so that
    the folder is read by the same rules as any other.

    Raises:
        MissingExtra: If huggingface_hub is not installed.
        InputError: If there is no such model, it cannot be reached, or it was not downloaded yet.
    """
    with needed(f'the model "{name}", which is no folder,', "hub"):
        from huggingface_hub import snapshot_download
    with _refusals(
        name, "Download it once, without `local_files_only`." if local_files_only else None
    ):
        snapshot = snapshot_download(
            name, revision=revision, token=token, cache_dir=cache_dir,
            allow_patterns=[CONFIG, WEIGHTS], library_name="grapheme-torch",
            local_files_only=local_files_only,
        )  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="grapheme-") as temporary:
        folder = Path(temporary) / name
        folder.mkdir(parents=True)
        for file in (CONFIG, WEIGHTS):
            found = Path(snapshot) / file
            if found.is_file():
                shutil.copyfile(found, folder / file)
        try:
            yield folder
        except InputError as error:  # named as it is known
            raise InputError(str(error).replace(str(folder), name)) from None


def upload(
    name: str,
    save: Callable[[Path], None],
    *,
    commit_message: str,
    private: bool | None,
    token: str | bool | None,
    branch: str | None,
    create_pr: bool,
    keep_card: bool,
) -> str:
    """The address of the commit that puts what `save` writes into a repository on the Hub.

    Args:
        name: "owner/name" of the repository, which is made if there is none.
        save: Writes the model into a folder.
        commit_message: What the history says.
        private: Whether a new repository is private.
        token: Of the user; see `huggingface_hub.HfApi`.
        branch: Default: main.
        create_pr: Whether to propose the change only.
        keep_card: Whether a README.md that is there already stays.

    Raises:
        MissingExtra: If huggingface_hub is not installed.
        InputError: If the Hub refuses it or cannot be reached.
    """
    with needed("`push_to_hub`", "hub"):
        from huggingface_hub import HfApi
    with tempfile.TemporaryDirectory(prefix="grapheme-") as temporary, _refusals(name):
        save(Path(temporary))
        api = HfApi(token=token, library_name="grapheme-torch")
        name = api.create_repo(name, private=private, exist_ok=True).repo_id
        kept = keep_card and api.file_exists(name, CARD, revision=branch)
        info = api.upload_folder(
            repo_id=name, folder_path=temporary, commit_message=commit_message, revision=branch,
            create_pr=create_pr, ignore_patterns=[CARD] if kept else None,
        )  # fmt: skip
    return str(info.commit_url)


@contextmanager
def _refusals(name: str, remedy: str | None = None) -> Iterator[None]:
    """Refuses, in words, what the Hub or the way to it refuses."""
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        # Its own are OSErrors or ValueErrors; others are of the client that it speaks HTTP with.
        http = type(error).__module__.startswith("http")
        if not (http or isinstance(error, OSError | ValueError)):
            raise
        text = " ".join(str(error).split()) or type(error).__name__
        remedy = remedy or "Check the name, the connection and the token (`hf auth login`)."
        cause = Received(text[:300])
        raise refusal(f'the model "{name}"', "be on the Hub", cause, remedy) from error
