"""Questions and relative clauses of kinds that SLOG's training file has not, of told sentences.

Only for measuring: nothing is trained on them. They are written by hand for English, from sentences
of the dev file, and are no part of SLOG's own generalisation set.
"""

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator

Line = tuple[str, str]
"""A sentence and its form without variables."""

NOUN = r"(?:[Tt]he [a-z]+|[Aa]n? [a-z]+|[A-Z][a-z]+)"
TO = re.compile(rf"({NOUN}) ([a-z]+) ({NOUN}) to ({NOUN}) \.")
DOUBLE = re.compile(rf"({NOUN}) ([a-z]+) ({NOUN}) ({NOUN}) \.")
PASSIVE = re.compile(rf"({NOUN}) was ([a-z]+)( to {NOUN})?( by {NOUN})? \.")
MODIFIED = re.compile(rf"({NOUN}) ([a-z]+) ({NOUN} (?:on|in|beside) {NOUN}) \.")
THAT = re.compile(rf"({NOUN}) ([a-z]+) that ({NOUN}) ([a-z]+) ({NOUN}) \.")


def made(lines: Iterable[tuple[str, str, str]], most: int, seed: int = 0) -> dict[str, list[Line]]:
    """Sentences by kind, at most so many of each, drawn from all that told sentences give.

    Args:
        lines: Sentence, form and type of each line of the file.
        most: Of each kind.
        seed: Of what is drawn.
    """
    found: dict[str, list[Line]] = defaultdict(list)
    for sentence, form, kind in lines:
        if kind != "in_distribution":
            continue
        for make in (_told_to, _told_double, _passive, _modified, _long):
            for name, *line in make(sentence, form):
                found[name].append((line[0], line[1]))
    drawn = random.Random(seed)
    for all_of_kind in found.values():
        drawn.shuffle(all_of_kind)
    return {name: found[name][:most] for name in sorted(found)}


def _told_to(sentence: str, form: str) -> Iterator[tuple[str, str, str]]:
    """Of "Emma gave a cake to Liam"."""
    match = TO.fullmatch(sentence)
    if match is None or re.search("nmod|comp", form):
        return
    agent, verb, theme, recipient = match.groups()
    root, (a, t, r) = form.split()[0], map(concept, (agent, theme, recipient))
    given = f"{low(theme)} to {low(recipient)}"
    yield (
        "subject, ditransitive", f"Who {verb} {given} ?",
        f"{root} ( agent = ? , theme = {t} , recipient = {r} )",
    )  # fmt: skip
    yield (
        "object, ditransitive", f"What did {low(agent)} {root} to {low(recipient)} ?",
        f"{root} ( agent = {a} , theme = ? , recipient = {r} )",
    )  # fmt: skip
    yield (
        "recipient", f"Who did {low(agent)} {root} {low(theme)} to ?",
        f"{root} ( agent = {a} , theme = {t} , recipient = ? )",
    )  # fmt: skip
    inner = f"{root} ( agent = {a} , theme = {t} , recipient = boy )"
    yield (
        "relative clause, recipient",
        f"Emma liked a boy that {low(agent)} {verb} {low(theme)} to .",
        f"like ( agent = Emma , theme = boy ( nmod = {inner} ) )",
    )  # fmt: skip


def _told_double(sentence: str, form: str) -> Iterator[tuple[str, str, str]]:
    """Of "Emma gave Liam a cake"."""
    match = DOUBLE.fullmatch(sentence)
    if match is None or "recipient" not in form or re.search("nmod|comp", form):
        return
    agent, verb, recipient, theme = match.groups()
    root, (a, t, r) = form.split()[0], map(concept, (agent, theme, recipient))
    yield (
        "subject, ditransitive", f"Who {verb} {low(recipient)} {low(theme)} ?",
        f"{root} ( agent = ? , recipient = {r} , theme = {t} )",
    )  # fmt: skip
    yield (
        "object, ditransitive", f"What did {low(agent)} {root} {low(recipient)} ?",
        f"{root} ( agent = {a} , recipient = {r} , theme = ? )",
    )  # fmt: skip


def _passive(sentence: str, form: str) -> Iterator[tuple[str, str, str]]:
    """Of "A cake was given to Liam by Emma"."""
    match = PASSIVE.fullmatch(sentence)
    if match is None or re.search("nmod|comp", form):
        return
    theme, verb, to, by = match.groups()
    if f"theme = {concept(theme)}" in form:
        asked = f"What was {verb}{to or ''}{by or ''} ?"
        yield "subject, passive", asked, form.replace(f"theme = {concept(theme)}", "theme = ?", 1)


def _modified(sentence: str, form: str) -> Iterator[tuple[str, str, str]]:
    """Of "Emma ate a cake on the table"."""
    match = MODIFIED.fullmatch(sentence)
    if match is None or f"agent = {concept(match[1])} ," not in form or "comp" in form:
        return
    agent, verb, theme = match.groups()
    asked = form.replace(f"agent = {concept(agent)}", "agent = ?", 1)
    yield "subject, modified object", f"Who {verb} {low(theme)} ?", asked
    root, (_, moved) = form.split()[0], form[:-2].split("theme = ", 1)
    asked = f"{root} ( agent = {moved} , theme = ? )"
    yield "object, modified subject", f"What did {low(theme)} {root} ?", asked


def _long(sentence: str, form: str) -> Iterator[tuple[str, str, str]]:
    """Of "Emma said that Liam ate a cake"."""
    match = THAT.fullmatch(sentence)
    if match is None or f"theme = {concept(match[5])}" not in form or "recipient" in form:
        return
    agent, _, inner, verb, theme = match.groups()
    asked = f"What did {low(agent)} {form.split()[0]} that {low(inner)} {verb} ?"
    yield "object of a clause", asked, form.replace(f"theme = {concept(theme)}", "theme = ?", 1)


def concept(noun: str) -> str:
    """How a form writes a noun or a name."""
    first, *rest = noun.split()
    return first if not rest else ("* " if first.lower() == "the" else "") + rest[0]


def low(noun: str) -> str:
    """A noun within a sentence; names stay."""
    return noun if " " not in noun else noun[0].lower() + noun[1:]
