import pytest

from scaffold.expressions.references import in_expression, in_loop, in_string


def marked(text, references):
    """The text with brackets around each reference."""
    for each in sorted(references, key=lambda each: each.start, reverse=True):
        found = text[each.start : each.end]
        text = f"{text[:each.start]}[{found}]{text[each.end:]}"
    return text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("config.room", "config.[room]"),
        ("  config.room", "  config.[room]"),
        ("opt . room or config.room", "opt . [room] or config.[room]"),
        ("'config.room' in config.rooms", "'config.room' in config.[rooms]"),
        ("event.room + room + let.room", "event.room + room + let.room"),
        ("config.labels.room", "config.[labels].room"),
        ("('é' +\n opt.room)", "('é' +\n opt.[room])"),
        ("('é' +\r\n 'é' + opt.room)", "('é' +\r\n 'é' + opt.[room])"),
        ("config.ｒoom", "config.[ｒoom]"),
        ("${opt.room}", "${opt.[room]}"),
        ("get(opt.labels, 'opt.room')", "get(opt.[labels], 'opt.room')"),
        ("[x for x in y]", "[x for x in y]"),
    ],
)
def test_references_of_an_expression(text, shown):
    assert marked(text, in_expression(text)) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("config.room ${opt.room}", "config.room ${opt.[room]}"),
        ("$${opt.room} ${ opt.a }é${opt.b}", "$${opt.room} ${ opt.[a] }é${opt.[b]}"),
        ("${get({'}': opt.a}, '}')} opt.a", "${get({'}': opt.[a]}, '}')} opt.a"),
    ],
)
def test_references_of_a_string(text, shown):
    assert marked(text, in_string(text)) == shown


def test_references_of_a_loop():
    assert marked("x in opt.x", in_loop("x in opt.x")) == "x in opt.[x]"
