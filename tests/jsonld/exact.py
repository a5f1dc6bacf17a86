"""The fast paths against the slow ones and against pyoxigraph: `python -m tests.jsonld.exact --variants 50000`.

The quick form of it is in test_exact.py. With `--documents N FOLDER …`, so many changed documents are made
of those in the folders, and as many are grown out of the contexts, and each is read by the walk and by PyLD.
"""

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import pyoxigraph

from kpass_vc.crypto.keys import Algorithm
from kpass_vc.crypto.signers import signer_of
from kpass_vc.errors import KpassError
from kpass_vc.formats import FORMATS
from kpass_vc.formats.format import Signing
from kpass_vc.formats.series import Series
from kpass_vc.jsonld.contexts import Contexts
from kpass_vc.jsonld.quads import walk
from kpass_vc.jsonld.seen import Seen
from kpass_vc.jsonld.template import Template
from kpass_vc.jsonld.terms import Unusual
from kpass_vc.model.document import compact, read_json
from kpass_vc.model.slots import filled
from kpass_vc.resources import contexts as pinned_contexts
from tests.jsonld.kinds import Kind, hostile_values, kinds, plain_values, with_more_places
from tests.jsonld.mutations import (
    Comparison,
    Grower,
    Mutator,
    Outcome,
    reading,
    slow,
    sub_documents,
)
from tests.sample import Json

NOT_ALIKE: Final = ("\ufffe", "\uffff", "\U0001fffe", "\ud800")
"""Noncharacters, which pyoxigraph escapes and RDFC-1.0 does not, and half a character; what is issued has none."""
SORTS: Final = ("plain", "hostile", "odd places")
METHOD: Final = "did:web:mikromerit.example:o:sobona#key"


@dataclass
class Tally:
    """What came of the variants."""

    contexts: Contexts
    every: int = 1
    """How many variants there are to one that PyLD and pyoxigraph read too."""
    counts: Counter[str] = field(default_factory=Counter)
    differing: list[str] = field(default_factory=list)
    seen: Seen = field(default_factory=Seen)
    """What a verifier has learnt of the variants before."""

    def judge(
        self, kind: Kind, template: Template, values: Sequence[str], sort: str = "hostile"
    ) -> None:
        """Fill in a variant, read it in the other ways, and note what differs."""
        document = filled(kind.credential, kind.places, values)
        expected = reading(document, self.contexts)
        self.counts[f"variants, {sort}"] += 1
        self.counts[f"the walk fell back, {sort}"] += walk(document, self.contexts) is None
        self.counts["refused by all"] += len(expected) > 1
        try:
            by_template = template.fill(values).decode()
        except (Unusual, UnicodeEncodeError):
            self.counts[f"the template fell back, {sort}"] += 1
        else:
            self._compare("template", kind, values, (by_template,) == expected)
        self._remember(kind, values, document, expected)
        if sum(self.counts[f"variants, {each}"] for each in SORTS) % self.every == 0:
            self._ask(kind, values, document, expected)

    def _remember(
        self, kind: Kind, values: Sequence[str], document: Json, expected: Outcome
    ) -> None:
        """Read it as one who has verified others like it, and learn from it if that is not possible."""
        by_memory = self.seen.canonical(document)
        if by_memory is not None:
            self.counts["read from memory"] += 1
            self._compare("memory", kind, values, (by_memory.decode(),) == expected)
        elif len(expected) == 1:
            self.seen.learn(document, self.contexts)

    def _ask(self, kind: Kind, values: Sequence[str], document: Json, expected: Outcome) -> None:
        self.counts["read by PyLD"] += 1
        self._compare("walk", kind, values, reading(document, slow(self.contexts)) == expected)
        text = expected[0]
        if len(expected) == 1 and isinstance(text, str) and _is_for_all(text):
            self.counts["read by pyoxigraph"] += 1
            self._compare(
                "pyoxigraph", kind, values, by_pyoxigraph(document, self.contexts) == text
            )

    def judge_series(self, kind: Kind, series: Series, values: Sequence[str]) -> None:
        """Secure a variant in a series and by itself, and note what differs."""
        document = filled(kind.credential, kind.places, values)
        self.counts["secured"] += 1
        try:
            secured = series.secure(values, SIGNINGS)
        except Unusual:
            self.counts["the series fell back"] += 1
            return
        try:
            alone = {
                name: FORMATS[name].secure(document, signing, self.contexts)
                for name, signing in SIGNINGS.items()
            }
        except KpassError as error:
            alone = {"refused": repr(error).encode()}
        self._compare("series", kind, values, secured == alone)

    def _compare(self, way: str, kind: Kind, values: Sequence[str], same: object) -> None:
        if not same:
            self.differing.append(f"{way}: {kind.name}: {kind.places} {list(values)!a}"[:4000])


def _signings() -> dict[str, Signing]:
    moment = datetime(2026, 11, 20, 10, tzinfo=UTC)
    return {
        "ldp_vc": Signing(signer_of(Algorithm.ED25519, bytes(range(32))), METHOD, moment),
        "vc-jwt": Signing(signer_of(Algorithm.P256, bytes(range(1, 33))), METHOD, moment),
    }


SIGNINGS: Final = _signings()


def by_pyoxigraph(document: Mapping[str, object], contexts: Contexts) -> str:
    """The canonical N-Quads of a document as pyoxigraph makes them, its contexts put in: it loads none."""
    urls = document["@context"]
    assert isinstance(urls, list)
    inlined = {**document, "@context": [contexts.document(url)["@context"] for url in urls]}
    text = json.dumps(inlined, ensure_ascii=False)
    dataset = pyoxigraph.Dataset(pyoxigraph.parse(text.encode(), pyoxigraph.RdfFormat.JSON_LD))
    dataset.canonicalize(pyoxigraph.CanonicalizationAlgorithm.RDFC_1_0)
    lines = pyoxigraph.serialize(dataset, format=pyoxigraph.RdfFormat.N_QUADS)
    assert lines is not None
    return "".join(sorted(f"{line}\n" for line in lines.decode().split("\n") if line))


def variants(count: int, seed: int, contexts: Contexts, *, every: int = 1) -> Tally:
    """So many variants of all kinds judged: a third plain, a third hostile, a third with places nobody would take."""
    chance = random.Random(seed)
    tally = Tally(contexts, every)
    chosen = kinds()
    templates = [Template(kind.credential, kind.places, contexts) for kind in chosen]
    number = 0
    while number < count:
        for kind, template in zip(chosen, templates, strict=True):
            iris = frozenset(template._iri_slots)
            tally.judge(kind, template, plain_values(kind, number), "plain")
            tally.judge(kind, template, hostile_values(kind, number, chance, iris))
            number += 2
        for kind in chance.sample(chosen, len(chosen) // 2):
            other = with_more_places(kind, chance)
            try:
                odd = Template(other.credential, other.places, contexts)
            except Unusual:
                tally.counts["no template"] += 1
                continue
            tally.judge(other, odd, plain_values(other, number), "odd places")
            iris = frozenset(odd._iri_slots)
            tally.judge(other, odd, hostile_values(other, number, chance, iris))
            number += 2
    return tally


def series(count: int, seed: int, contexts: Contexts) -> Tally:
    """So many credentials of all kinds secured in series and by themselves; half of them are hostile."""
    chance = random.Random(seed)
    tally = Tally(contexts)
    every = kinds()
    made = [Series(kind.credential, kind.places, contexts, ()) for kind in every]
    for number in range(count):
        kind, one = every[number % len(every)], made[number % len(every)]
        if number // len(every) % 2:
            iris = frozenset(one._template._iri_slots)
            tally.judge_series(kind, one, hostile_values(kind, number, chance, iris))
        else:
            tally.judge_series(kind, one, plain_values(kind, number))
    return tally


def documents_in(folders: Sequence[Path]) -> Iterator[Json]:
    """Every document in contexts that lies in the folders, and every object in one as a document of its own."""
    for folder in folders:
        for path in sorted(folder.rglob("*.json")):
            try:
                document = read_json(path.read_bytes())
            except KpassError:
                continue
            if "@context" in document and len(compact(document)) < 20_000:
                yield from sub_documents(document)


def documents(count: int, seed: int, given: Sequence[Json], contexts: Contexts) -> list[Json]:
    """Those of the given documents, of so many changed and so many grown ones, that the two ways do not agree on."""
    mutator, grower = Mutator(seed, contexts, given), Grower(seed, contexts)
    chance = random.Random(seed)
    comparison = Comparison(contexts)
    changed = (mutator.change(chance.choice(given)) for _ in range(count if given else 0))
    grown = (grower.document() for _ in range(count))
    found = [
        document
        for some in (given, changed, grown)
        for document in some
        if not comparison.same(document)
    ]
    sys.stdout.write(
        f"{comparison.read} documents, {comparison.walked} walked, {comparison.accepted} accepted\n"
    )
    return found


def _is_for_all(text: str) -> bool:
    return not any(character in text for character in NOT_ALIKE)


def main() -> None:
    """Say what came of it; the exit code is 1 if anything differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--variants", type=int, default=3_000)
    parser.add_argument("--documents", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("folders", type=Path, nargs="*")
    order = parser.parse_args()
    contexts = pinned_contexts()
    differing: list[str] = []
    for tally in (
        variants(order.variants, order.seed, contexts),
        series(order.variants, order.seed, contexts),
    ):
        for name, count in tally.counts.items():
            sys.stdout.write(f"{count:8} {name}\n")
        differing += tally.differing
    if order.documents:
        given = list(documents_in(order.folders))
        found = documents(order.documents, order.seed, given, contexts)
        differing += [json.dumps(document)[:4000] for document in found]
    sys.stdout.write("".join(f"differs: {each}\n" for each in differing))
    sys.stdout.write(f"{len(differing)} differences\n")
    raise SystemExit(bool(differing))


if __name__ == "__main__":
    main()
