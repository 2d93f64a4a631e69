from fairlead.core.rates import Amount
from fairlead.decorators.line import Line, Ticket


def tickets(count, tokens=10):
    return [Ticket(Amount(1, 2 * tokens), tokens) for _ in range(count)]


def waking(line, *waiting):
    """The names of those who are woken from now on."""
    woken = []
    for name, ticket in enumerate(waiting):
        ticket.wake = lambda name=name: woken.append(name)
    return woken


def test_first_come_first_served():
    line = Line(None, 10)
    first, second, third = tickets(3)
    for ticket in (first, second, third):
        assert line.join(ticket)
    woken = waking(line, first, second, third)

    line.start(first)
    assert line.is_first(second)
    line.start(second)

    assert line.is_first(third)
    assert woken == [1, 2]
    assert (line.running, len(line)) == (2, 1)


def test_whoever_leaves_from_the_middle_wakes_nobody():
    line = Line(None, 10)
    waiting = first, second, third = tickets(3)
    for ticket in waiting:
        line.join(ticket)
    woken = waking(line, *waiting)

    line.leave(second)
    line.leave(third)

    assert not woken
    assert line.is_first(first)


def test_the_first_to_leave_wakes_the_next():
    line = Line(None, 10)
    first, second = tickets(2)
    line.join(first)
    line.join(second)

    line.leave(first)

    assert second.woken


def test_it_is_bounded_but_whoever_comes_first_may_look():
    line = Line(None, 1)
    first, second = tickets(2)

    assert line.join(first)
    assert not line.join(second)
    assert line.may_wait

    line = Line(None, 0)
    assert line.join(first)
    assert not line.may_wait


def test_a_place_that_becomes_free_wakes_the_first():
    line = Line(1, 10)
    line.pass_by()
    assert not line.free
    first, second = tickets(2)
    line.join(first)
    line.join(second)
    woken = waking(line, first, second)

    line.stop()

    assert line.free
    assert woken == [0]


def test_nobody_runs_past_those_who_wait():
    line = Line(2, 10)
    assert line.idle
    line.join(tickets(1)[0])

    assert line.free
    assert not line.idle


def test_it_knows_what_all_are_sure_to_need():
    line = Line(None, 10)
    waiting = tickets(3)
    for ticket in waiting:
        line.join(ticket)
    assert line.needed == Amount(3, 30)

    line.leave(waiting[1])
    line.start(waiting[0])

    assert line.needed == Amount(1, 10)


def test_an_empty_line_wakes_nobody():
    line = Line(None, 10)
    line.pass_by()

    line.stop()

    assert line.running == 0
