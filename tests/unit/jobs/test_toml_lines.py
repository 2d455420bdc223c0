from logdrain.jobs.toml_lines import first_line_of, line_of

LONG = '''cron = "@daily"
sql = """
SELECT 1 AS n
WHERE result = 1
"""
result = "r:t"
'''


def test_lines_within_long_texts_do_not_count() -> None:
    assert line_of("result", LONG) == 6
    assert line_of("no_such_key", LONG) == 1


def test_a_long_text_begins_below_its_quotes() -> None:
    assert first_line_of("sql", LONG) == 3
    assert first_line_of("sql", 'sql = """SELECT 1"""') == 1
    assert first_line_of("sql", "sql = 'SELECT 1'") == 1
    assert first_line_of("sql", "") == 1
