from app.web.sparklines import HEIGHT, WIDTH, Point, sparkline


def test_the_latest_number_is_at_the_right_edge_and_the_largest_fills_the_height() -> None:
    drawn = sparkline("requests", [Point("run 1", 0), Point("run 2", 1_200)], room=30)

    zero, most = drawn.bars
    assert 0 < zero.height < 2
    assert (most.y, most.height) == (0, HEIGHT)
    assert WIDTH - WIDTH / 30 <= most.x < most.x + most.width <= WIDTH
    assert most.title == "run 2: 1,200 requests"


def test_the_drawing_is_summarized_in_words() -> None:
    points = [Point("run 1", 7), Point("run 2", 1_200), Point("run 3", 10)]

    said = sparkline("requests", points, room=3).summary
    assert said == "requests in the last 3 runs: 7 to 1,200; in the latest: 10"
    one = sparkline("requests", points[:1], room=3).summary
    assert one == "requests in the only run: 7"
    assert sparkline("requests", [], room=3).summary == "requests: no run yet"


def test_zeros_alone_are_drawn_as_a_line() -> None:
    drawn = sparkline("requests", [Point("run 1", 0), Point("run 2", 0)], room=2)

    assert {each.height for each in drawn.bars} == {1}


def test_the_bars_of_a_kind_are_one_path() -> None:
    points = [Point("run 1", 5, "failed"), Point("run 2", 10), Point("run 3", 10)]

    paths = sparkline("requests", points, room=3).paths
    assert paths == {
        "failed": "M0 12h39V24h-39z",
        "": "M40 0h39V24h-39zM80 0h39V24h-39z",
    }
