"""Splits by source: what belongs together stays together, and what a person said stays."""

from vsr_lab.curation.leaks import SourceGroup, assign_splits

NAMES = ("train", "eval")


def _pieces(count: int, kind: str = "a", seconds: float = 10) -> list[SourceGroup]:
    return [SourceGroup(f"{kind}{i}", "", kind, seconds) for i in range(count)]


def test_the_share_is_met_in_each_kind() -> None:
    pieces = _pieces(40, "a") + _pieces(20, "b")
    splits = assign_splits(pieces, [], 0.2, names=NAMES, seed=0)
    assert splits[:40].count("eval") == 8
    assert splits[40:].count("eval") == 4
    assert set(splits) == set(NAMES)


def test_clips_of_one_source_and_clips_that_look_alike_stay_together() -> None:
    pieces = [SourceGroup(f"source{i // 3}", "", "a", 5) for i in range(30)]
    splits = assign_splits(pieces, [(0, 29), (3, 15)], 0.3, names=NAMES, seed=1)
    for i in range(30):
        assert splits[i] == splits[i // 3 * 3]
    assert splits[0] == splits[29]
    assert splits[3] == splits[15]


def test_what_a_person_said_stays_and_draws_its_group_along() -> None:
    pieces = [
        SourceGroup("s", "eval", "a", 5),
        SourceGroup("s", "", "a", 5),
        SourceGroup("t", "train", "a", 5),
        *_pieces(5),
    ]
    splits = assign_splits(pieces, [(2, 4)], 0.5, names=NAMES, seed=0)
    assert splits[:3] == ["eval", "eval", "train"]
    assert splits[4] == "train"


def test_the_same_seed_deals_the_same_way_and_another_another() -> None:
    pieces = _pieces(30)
    deals = [assign_splits(pieces, [], 0.5, names=NAMES, seed=seed) for seed in (0, 0, 1)]
    assert deals[0] == deals[1] != deals[2]
