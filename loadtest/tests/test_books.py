"""A visitor's own books: what it was promised must be what its account has."""

from books import Books, Verdict, summary


def test_readings_and_top_ups_add_up():
    """20 at first, what was bought, less one for each charge; a replay's charge counts once."""
    books = Books()
    books.asked("a", "/api/v1/topups", b"{}")
    books.answered("a", 201, bought=50, replayed=False)
    for key, charge in (("b", "chg_1"), ("c", "chg_2"), ("c", "chg_2")):
        books.asked(key, "/api/v1/predictions", b"{}")
        books.answered(key, 201, charge=charge, replayed=key == "c")
    assert books.expected == 20 + 50 - 2
    assert books.verdict(68) is Verdict.RIGHT
    assert books.verdict(67) is Verdict.WRONG


def test_what_has_no_definite_answer_stays_open():
    """A broken connection or a 503 leaves open whether a credit was taken, until a repeat tells."""
    books = Books()
    for status in (0, 503, 504, 409):
        books.asked("a", "/api/v1/predictions", b"{}")
        books.answered("a", status, replayed=False)
        assert books.verdict(20) is Verdict.UNKNOWN
    books.answered("a", 503, replayed=True)
    assert books.verdict(20) is Verdict.RIGHT


def test_a_refusal_is_definite():
    """402 and 422 took nothing."""
    books = Books()
    books.asked("a", "/api/v1/predictions", b"{}")
    books.answered("a", 402, replayed=False)
    assert books.verdict(20) is Verdict.RIGHT
    assert books.verdict(None) is Verdict.UNKNOWN


def test_who_is_told_to_come_later_has_lost_nothing():
    """429, and 503 with Retry-After; but its key can still be asked, where the account says otherwise."""
    books = Books()
    for key in ("a", "b"):
        books.asked(key, "/api/v1/predictions", b"{}")
        books.answered(key, 503, replayed=False, refused=True)
    assert books.verdict(20) is Verdict.RIGHT
    assert books.verdict(19) is Verdict.WRONG
    books.doubt_refusals()
    assert set(books.open_keys) == {"a", "b"}
    assert books.verdict(19) is Verdict.UNKNOWN
    books.answered("a", 201, charge="chg_1", replayed=True)
    books.answered("b", 402, replayed=False)
    assert books.verdict(19) is Verdict.RIGHT


def test_all_verdicts_are_counted():
    """Also those that nobody had."""
    assert summary([Verdict.RIGHT, Verdict.RIGHT, Verdict.WRONG]) == {"right": 2, "wrong": 1, "unknown": 0}
