"""Secrets go, data stays. Each positive names what must not survive; each negative must come back as it was."""

from __future__ import annotations

import ast
import io
import logging
import random
import string
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llmos_jupyter.agent.describe.variables import describe_variable
from llmos_jupyter.privacy.masking import MaskFilter, mask, mask_value
from llmos_jupyter.privacy.secret_names import secret_name
from tests.examples import examples

RANDOM = random.Random(7)


def made(alphabet: str, length: int) -> str:
    """Keys are made here, so that no scanner takes this file for a leak."""
    return "".join(RANDOM.choice(alphabet) for _ in range(length))


ALNUM = string.ascii_letters + string.digits
HEX = "0123456789abcdef"
UPPER = string.ascii_uppercase + string.digits
AWS = "AKIA" + made(UPPER, 16)
AWS_SECRET = made(ALNUM, 40)
GITHUB = "ghp_" + made(ALNUM, 36)
OPENAI = "sk-" + "proj-" + made(ALNUM, 48)
OPENAI_OLD = "sk-" + made(ALNUM, 20) + "T3Blbk" + "FJ" + made(ALNUM, 20)
SLACK = "xox" + "b-" + made(string.digits, 12) + "-" + made(ALNUM, 24)
HF = "hf_" + made(string.ascii_letters, 34)
GOOGLE = "AIza" + made(ALNUM, 35)
JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0." + made(ALNUM, 43)
PEM_BODY = "\n".join(made(ALNUM, 64) for _ in range(8))
PEM = f"-----BEGIN RSA PRIVATE KEY-----\n{PEM_BODY}\n-----END RSA PRIVATE KEY-----"
RANDOM_40 = made(ALNUM, 40)

# (text, what must be gone)
POSITIVES = [
    # code
    ('password = "hunter2"', "hunter2"),
    ("password='hunter2'", "hunter2"),
    ('password: str = "hunter2"', "hunter2"),
    ('self.password = "hunter2"', "hunter2"),
    ('config["password"] = "hunter2"', "hunter2"),
    ("config['db_password'] = 'hunter2'", "hunter2"),
    ('{"user": "ann", "password": "hunter2"}', "hunter2"),
    ("{'passwd': 'hunter2', 'x': 1}", "hunter2"),
    ('connect(host="h", password="hunter2")', "hunter2"),
    ('connect("h", pwd="hunter2", port=1)', "hunter2"),
    ("dict(dbPassword='hunter2')", "hunter2"),
    ('os.environ["MYSQL_PWD"] = "hunter2"', "hunter2"),
    ('os.environ.setdefault("MY_API_KEY", "abcd1234")', "abcd1234"),
    ('os.getenv("DB_PASSWORD", "fallback9")', "fallback9"),
    ('api_key = "abcd1234efgh"', "abcd1234efgh"),
    ('apikey="abcd1234efgh"', "abcd1234efgh"),
    ('apiKey: "abcd1234efgh"', "abcd1234efgh"),
    ('client = OpenAI(api_key="abcd1234")', "abcd1234"),
    ('token = "t0k3n-value"', "t0k3n-value"),
    ("auth_token = b'0123abcd'", "0123abcd"),
    ('access_token = r"0123abcd"', "0123abcd"),
    ('SECRET = """multi\nline-secret"""', "line-secret"),
    ("secret_key = 'django-insecure-9x'", "django-insecure-9x"),
    ("credentials = ('ann', 's3cret!')", "s3cret!"),
    ("auth=('ann', 's3cret!')", "s3cret!"),
    ('requests.get(u, auth=HTTPBasicAuth("ann", "s3cret!"))', "s3cret!"),
    ('server.login("ann@example.org", "s3cret!")', "s3cret!"),
    ('passwords = ["alpha-one", "beta-two"]', "beta-two"),
    ('pd.DataFrame({"user": ["a"], "password": ["alpha-one", "beta-two"]})', "alpha-one"),
    ('if password == "hunter2":', "hunter2"),
    ('if "hunter2" == password:', "hunter2"),
    ('private_key = "0xabc123def"', "0xabc123def"),
    ('session_key="k9-k9-k9-k9"', "k9-k9-k9-k9"),
    ('cookies = {"sessionid": "38afes7a8"}', "38afes7a8"),
    ('headers = {"Cookie": "sid=38afes7a8; theme=dark"}', "38afes7a8"),
    ('headers = {"Authorization": "Bearer abcDEF123456"}', "abcDEF123456"),
    ('headers={"authorization": "Basic YW5uOnMzY3JldA=="}', "YW5uOnMzY3JldA"),
    ('headers = {"X-API-Key": "abcd1234"}', "abcd1234"),
    ('headers = {"X-Auth-Token": "abcd1234"}', "abcd1234"),
    ('f"postgresql://ann:s3cret@{host}/db"', "s3cret"),
    ('password = "with \\"quotes\\" inside"', "inside"),
    ('password := "hunter2"', "hunter2"),
    ("password = 12345678", "12345678"),
    ('SecretStr("hunter2")', "hunter2"),
    ('kennwort = "geheim1"', "geheim1"),
    ('contraseña = "secreta1"', "secreta1"),
    ("密码 = 'hunter2'", "hunter2"),
    ('{"口令": "hunter2"}', "hunter2"),
    ('令牌 = "abc12345"', "abc12345"),
    # files of settings, command lines, headers, prose
    ("API_KEY=abcd1234", "abcd1234"),
    ("export GITHUB_TOKEN=abcd1234efgh", "abcd1234efgh"),
    ("DB_PASSWORD=swordfish", "swordfish"),
    ("DB_PASSWORD = 'swordfish'", "swordfish"),
    ("password: hunter2", "hunter2"),
    ("password: swordfish", "swordfish"),
    ('"password" : "hunter2",', "hunter2"),
    ("secret: a8!kf", "a8!kf"),
    ("db:\n  user: ann\n  password: p@ss!w0rd\n", "p@ss!w0rd"),
    ("mysql --user ann --password s3cret! db", "s3cret!"),
    ("tool --token=abcd1234", "abcd1234"),
    ("tool --api-key abcd1234efgh", "abcd1234efgh"),
    ("curl -H 'Authorization: Bearer abc.DEF-123'", "abc.DEF-123"),
    ("Authorization: Basic YW5uOnMzY3JldA==", "YW5uOnMzY3JldA"),
    ("Cookie: sid=38afes7a8", "38afes7a8"),
    ("Set-Cookie: sid=38afes7a8; HttpOnly", "38afes7a8"),
    ("x-api-key: abcd1234efgh", "abcd1234efgh"),
    ("my password is hunter2", "hunter2"),
    ("my password is swordfish", "swordfish"),
    ("log in with password s3cret! please", "s3cret!"),
    ("我的密码是hunter2，请登录", "hunter2"),
    ("密码：hunter2", "hunter2"),
    ("令牌: abcd1234", "abcd1234"),
    ("用口令 = abc123 登录", "abc123"),
    # connection strings
    ("postgres://ann:s3cret@db.example.org:5432/x", "s3cret"),
    ("postgresql+psycopg2://ann:s3cret@localhost/x", "s3cret"),
    ("mysql+pymysql://root:p@ss@db/x", "p@ss"),
    ("mongodb+srv://ann:s3cret@cluster0.example.net", "s3cret"),
    ("redis://:s3cret@localhost:6379/0", "s3cret"),
    ("amqp://guest:s3cret@rabbit//", "s3cret"),
    ("https://ann:s3cret@example.org/path", "s3cret"),
    ("ftp://ann:s3cret@[::1]/x", "s3cret"),
    (f"https://{RANDOM_40}@github.com/a/b.git", RANDOM_40),
    ("Server=tcp:x;Database=y;User ID=ann;Password=s3cret;Encrypt=yes", "s3cret"),
    ("Driver={SQL};Server=x;UID=ann;PWD=s3cret;", "s3cret"),
    ('psycopg2.connect("host=x user=ann password=s3cret dbname=y")', "s3cret"),
    ("DefaultEndpointsProtocol=https;AccountName=x;AccountKey=" + made(ALNUM, 86) + "==", "AccountKey=" + "A"),
    ("https://x.blob.core.windows.net/c?sv=1&sig=" + RANDOM_40, RANDOM_40),
    # forms that are secrets wherever they stand
    (f"x = '{AWS}'", AWS),
    (f'aws_secret_access_key = "{AWS_SECRET}"', AWS_SECRET),
    (f"some text {GITHUB} more", GITHUB),
    ("github_pat_" + "a1B2" * 12, "a1B2a1B2"),
    ("glpat-" + "a1B2" * 5, "a1B2a1B2"),
    (f"['{OPENAI}']", OPENAI),
    (f"['{OPENAI_OLD}']", OPENAI_OLD),
    ("sk-ant-api03-" + "a1B2" * 12, "a1B2a1B2"),
    (f"{SLACK}!", SLACK),
    ("https://hooks.slack.com/services/T" + "00AB/B00CD/" + "x9" * 12, "x9x9x9"),
    (f"{HF}", HF),
    (f"key {GOOGLE} x", GOOGLE),
    (f"jwt {JWT} x", JWT),
    (PEM, PEM_BODY[:64]),
    (f'k = """{PEM}"""', PEM_BODY[-30:]),
    (repr(PEM), PEM_BODY[-30:]),
    (PEM[:300], PEM_BODY[65:120]),
    ("-----BEGIN OPENSSH PRIVATE KEY-----\n" + PEM_BODY, PEM_BODY[-40:]),
    ("sk_live_" + "a1B2" * 6, "a1B2a1B2"),
    ("npm_" + "a1B2" * 9, "a1B2a1B2"),
    ("//registry.npmjs.org/:_authToken=abcd1234", "abcd1234"),
    ("SG." + "a1B2cD" * 3 + "a1B2." + made(ALNUM, 43), "a1B2cD"),
    ("pypi-AgEIcHlwaS5vcmc" + made(ALNUM, 80), "AgEIcHlwaS5vcmc" + "0"),
    ("card 4111 1111 1111 1111 today", "4111 1111 1111"),
    ('user, password = "ann", "hunter2"', "hunter2"),
    ("curl -s -u ann:s3cret! https://example.org", "s3cret!"),
    ("use api key abc123def456 for it", "abc123def456"),
    ("帮我用密码 hunter2 登录", "hunter2"),
    ("%env API_KEY=abcd1234", "abcd1234"),
    ("dapi" + "0a1b" * 8, "0a1b0a1b"),
    ("123456789:" + made(ALNUM, 35), "123456789:" + "0"),
]

NEGATIVES = [
    # names that only look like it
    "token_count = 5",
    "tokens = [1, 2, 3]",
    "n_tokens = 4096",
    "max_tokens=600",
    "tokens = ['the', 'quick', 'brown', 'fox']",
    'token = "the"',
    "token_ids: list[int], 5 items: [1, 2, 3, 4, 5]",
    "secretary = 'Ann Miller'",
    '{"author": "Jane Austen", "pass_rate": 0.93}',
    "pass_rate: float64, 0.1 .. 0.99",
    "author: object, 3 distinct: 'Ann', 'Bob', 'Cid'",
    "authority = 'city council 12'",
    'authentication_method = "oauth2"',
    "df['password_length'].mean()",
    "password_strength: object, 2 distinct: 'weak', 'strong'",
    "df[['password', 'email']].nunique()",
    'columns = ["user", "password", "email"]',
    'df.rename(columns={"pwd": "password"})',
    "df.groupby('token').size()",
    'dtype={"password": "string", "token": "category"}',
    "cookie = 'chocolate chip'",
    "cookies = ['oatmeal', 'ginger']",
    "primary_key = 'customer_id'",
    "foreign_key='orders.customer_id'",
    "public_key = 'ssh-ed25519 AAAA'",
    'sort(key="value1")',
    "keys = ['alpha1', 'beta2']",
    "key: object, 3 distinct: 'k1', 'k2', 'k3'",
    "customer_key: int64, 1000 .. 9999",
    "account_key: int64, 1 .. 812345",
    "session_id: int64, 100000 .. 999999",
    "session: object, 2 distinct: 'morning', 'evening'",
    "boarding_pass = 'economy seat 12'",
    "passengers = 812",
    "passed: bool, 17 True",
    "compass = 'north by northwest 12'",
    "monkey = 'capuchin01'",
    "turkey: object, 2 distinct: 'a1b2c3', 'd4e5f6'",
    "tokenizer = AutoTokenizer.from_pretrained('bert-base-uncased')",
    "bearer of bad news",
    "bearer = 'oak beam 12x12'",
    # code without a literal
    "password = getpass('Password: ')",
    'password = input("Your password: ")',
    "password = os.environ['DB_PASSWORD']",
    "password = settings.password",
    'token = os.getenv("GITHUB_TOKEN")',
    "connect(user=user, password=password)",
    "connect(user=user, password=pw2, port=1)",
    "def login(user: str, password: str) -> bool:",
    "def login(user, password=None, token=None):",
    "password: str | None = None",
    "api_key: str",
    'password = ""',
    'password = "<your password>"',
    'password = "${DB_PASSWORD}"',
    'print("password: " + password + " ok")',
    'dsn = "host=x password=" + pw + " dbname=y"',
    'f"postgres://{user}:{password}@{host}/db"',
    'f"Bearer {token}"',
    "if password is None:",
    "assert len(password) >= 12",
    "import secrets; secrets.token_hex(16)",
    "secrets.token_urlsafe()",
    "raise KeyError('password')",
    "KeyError: 'token'",
    # prose
    "what is the secret of a good plot?",
    "count the tokens in each text",
    "how many users have a weak password?",
    "the password is missing in 3 rows",
    "my password is wrong, why?",
    "plot the pass rate by author",
    "按作者统计 token 数量",
    "统计密码长度的分布",
    # data
    "3f786850e387550fdab836ed7e6dc881de23001b",
    "commit df17797a1bb1f2a5a3e2e2d3c4b5a69788776655",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "id: object, 2 distinct: '123e4567-e89b-12d3-a456-426614174000', '00112233-4455-6677-8899-aabbccddeeff'",
    "order_id: int64, 4111111111111111 .. 4999999999999999",
    "2024-01-02T03:04:05+00:00",
    "192.168.1.1, 8.8.8.8, 2001:db8::1",
    "https://example.org:8080/a@b?x=1",
    "http://localhost:8888/users/@me",
    "git@github.com:a/b.git",
    "ann@example.org",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "phone 5555 1234 5678 9012",
    "ISBN 978-3-16-148410-0",
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAUA",
    "task-task-task-risk-management",
    "SKU: object, 2 distinct: 'SK-1234', 'AC-99'",
    "df: DataFrame, 3 rows x 2 columns\n  tokens: int64, 1 .. 9\n  author: object, 2 distinct: 'A', 'B'",
    "model = LogisticRegression(C=1.0, penalty='l2')",
    "x = {'a': 1, 'b': [2, 3], 'c': 'some words'}",
    "for key, value in config.items(): print(key, value)",
    "s.str.contains('pass|fail')",
    "assert auth == 'none'",
    'a, b = "x1", "y2"',
    "     word  tokens\n0   alpha      12\n1    beta       7",
    "    return password\n0 of them used1",
    "  users  password_length\n0   ann                7",
]


def test_there_are_enough_of_them() -> None:
    assert len(POSITIVES) >= 100
    assert len(NEGATIVES) >= 60


@pytest.mark.parametrize(("text", "secret"), POSITIVES)
def test_a_secret_is_masked(text: str, secret: str) -> None:
    masked = mask(text)
    assert secret not in masked
    assert "<masked: " in masked


@pytest.mark.parametrize("text", NEGATIVES)
def test_data_and_code_without_secrets_stay(text: str) -> None:
    assert mask(text) == text


@pytest.mark.parametrize("text", [text for text, _ in POSITIVES] + NEGATIVES)
def test_masking_twice_is_masking_once_and_code_stays_code(text: str) -> None:
    masked = mask(text)
    assert mask(masked) == masked
    try:
        ast.parse(text)
    except SyntaxError:
        return
    if "'" not in text and '"' not in text:  # a key on a line of its own happens to be a name
        return
    ast.parse(masked)


def test_blanks_at_the_end_of_a_line_hide_no_secret() -> None:
    assert "swordfish" not in mask('password: swordfish  \nuser: "ann"')


@given(st.lists(st.sampled_from([text for text, _ in POSITIVES] + NEGATIVES), min_size=1, max_size=4), st.data())
@settings(max_examples=examples(150), deadline=None)
def test_neighbours_do_not_bring_a_secret_back(texts: list[str], data: st.DataObject) -> None:
    text = data.draw(st.sampled_from(["\n", "\n\n", "  \n"])).join(texts)
    masked = mask(text)
    assert mask(masked) == masked
    for known, secret in POSITIVES:
        if known in texts:
            assert secret not in masked


@given(st.text(alphabet="paswordtkeniCO=:\"'{}[]() ,\n<>密码是1!@/.-_", max_size=80))
@settings(max_examples=examples(400), deadline=None)
def test_any_text_is_masked_once(text: str) -> None:
    masked = mask(text)
    assert mask(masked) == masked


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("password", "password"), ("dbPassword", "password"), ("PGPASSWORD", "password"), ("MYSQL_PWD", "password"),
        ("smtp_pass", "password"), ("API_KEY", "API key"), ("x-api-key", "API key"), ("openaiApiKey", "API key"),
        ("client_secret", "secret"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("refresh_token", "token"),
        ("access_tokens", "token"), ("privateKey", "private key"), ("credentials", "credential"),
        ("登录密码", "password"), ("mot_de_passe", "password"), ("motDePasse", "password"), ("pin", "PIN"),
        ("card_pin", "PIN"), ("userPIN", "PIN"), ("creds", "credential"), ("wachtwoord", "password"),
        ("访问令牌", "token"), ("session_key", "session key"), ("cookie", "cookie"),
    ],
)  # fmt: skip
def test_names_of_secrets(name: str, kind: str) -> None:
    found = secret_name(name)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    "name",
    ["token_count", "secretary", "author", "pass_rate", "tokens", "num_tokens", "passenger", "tokenizer", "key", "id",
     "keyboard", "password_length", "has_password", "is_secret", "primary_key", "monkey", "cookies", "authority",
     "密码强度", "first_pass", "bypass", "compass", "TOKENIZERS_PARALLELISM", "SSH_AUTH_SOCK", "secret_names",
     "passes", "passe", "completed_passes", "pin_code", "pincode", "pins", "led_pin", "spin", "credit", "mot", "keys",
     "wordcount", "clavicle", "session_id", "pin_count", "join_key"],
)  # fmt: skip
def test_names_of_no_secrets(name: str) -> None:
    assert secret_name(name) is None


# --- the environment -----------------------------------------------------------------------------


def test_values_of_the_environment_go_wherever_they_stand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WAREHOUSE_TOKEN", "kaolin&ferret/9")
    monkeypatch.setenv("SMTP_PASSWORD", "postgres")
    monkeypatch.setenv("MY_API_KEY", "/home/ann/key.txt")
    text = "x = 'kaolin&ferret/9' # postgres in /home/ann/key.txt, kaolin%26ferret%2F9"
    assert mask(text) == "x = '<masked: token>' # postgres in /home/ann/key.txt, <masked: token>"
    monkeypatch.delenv("WAREHOUSE_TOKEN")
    assert mask(text) == text


# --- descriptions of variables -------------------------------------------------------------------


def test_a_variable_of_a_secrets_name_shows_kind_and_size_only() -> None:
    assert mask_value("password", "password: str, 9 characters: 'swordfish'") == (
        "password: str, 9 characters: '<masked: password>'"
    )
    assert mask_value("pwd", "pwd: int 852346") == "pwd: int <masked: password>"
    assert mask_value("api_keys", "api_keys: list[str], 2 items: ['alpha', 'beta']") == (
        "api_keys: list[str], 2 items: ['<masked: API key>', '<masked: API key>']"
    )
    assert mask_value("tokens", "tokens: list[int], 3 items: [1, 2, 3]") == "tokens: list[int], 3 items: [1, 2, 3]"
    assert mask_value("x", "x: int 852346") == "x: int 852346"


def test_descriptions_of_real_objects_show_no_secret() -> None:
    import pandas as pd

    class Account:
        def __init__(self) -> None:
            self.password = "swordfish"

    secret = "swordfish-99"
    values: dict[str, object] = {
        "df": pd.DataFrame({"user": ["ann", "bob"], "password": [secret, "x" + secret], "tokens": [7, 8]}),
        "wide": pd.DataFrame({("login", "password"): [secret], ("login", "user"): ["ann"]}),
        "passwords": pd.Series([secret]),
        "s": pd.Series([secret], name="password"),
        "config": {"user": "ann", "password": secret, "nested": {"api_key": secret}},
        "rows": [{"user": "ann", "pwd": secret}],
        "password": secret,
        "secret": secret.encode(),
        "api_key": [secret],
        "url": f"postgresql://ann:{secret}@db.example.org:5432/sales?" + "x" * 300,
        "urls": [f"https://some-quite-long-user-name:{secret}@db.example.org:5432/sales"],
        "long": "a" * 100 + GITHUB + "b" * 500,
        "jwt": JWT * 3,
        "listed": [f"prefix {GITHUB} suffix", JWT],
        "account": Account(),
    }
    for name, value in values.items():
        text = describe_variable(name, value, max_chars=900)
        assert text
        for part in (secret, "swordfish", GITHUB[:16], JWT[:24]):
            assert part not in text, (name, text)
    assert "tokens: int64, only 7, 8" in describe_variable("df", values["df"], max_chars=900)
    assert "'ann'" in describe_variable("df", values["df"], max_chars=900)


def test_a_printed_table_shows_no_secret() -> None:
    import pandas as pd

    frame = pd.DataFrame(
        {"user": ["ann", "bob"], "api_key": ["k-1234-x", "k-98"], "tokens": [7, 8], "pwd": ["a1", "bb2"]}
    )
    printed = mask(f"before\n{frame}\nafter")
    assert [line.split() for line in printed.splitlines()[2:4]] == [
        ["0", "ann", "********", "7", "**"],
        ["1", "bob", "****", "8", "***"],
    ]
    assert mask(printed) == printed


# --- logs ----------------------------------------------------------------------------------------


def test_a_handler_with_the_filter_writes_no_secret() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
    handler.addFilter(MaskFilter())
    log = logging.Logger("test")
    log.addHandler(handler)
    log.info("connecting to %s with %d tries", "redis://:s3cret@localhost", 3)
    try:
        raise ValueError('password="hunter2"')
    except ValueError:
        log.exception("failed: token=%s", GITHUB)
    text = written.getvalue()
    assert "with 3 tries" in text
    assert "Traceback" in text
    for secret in ("s3cret", "hunter2", GITHUB):
        assert secret not in text


# --- time ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "unit", ["task-", "a", "://a:", "eyJ", "password", "'", "{", "-----BEGIN PRIVATE KEY-----", "sk-"]
)
def test_long_and_odd_texts_take_time_in_proportion(unit: str) -> None:
    text = unit * (100_000 // len(unit))
    mask("warm")
    assert _seconds(text) < 2.0


def _seconds(text: str) -> float:
    """Of this process's own: the machine may have others."""
    start = time.process_time()
    mask(text)
    return time.process_time() - start
