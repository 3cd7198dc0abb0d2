"""Keys of vendors and passwords as people write them; and texts that are like them and must stay."""

from __future__ import annotations

import ast
import random
import string

import pytest

from llmos_jupyter.privacy.masking import mask

RANDOM = random.Random(11)
ALNUM = string.ascii_letters + string.digits
UPPER = string.ascii_uppercase + string.digits
HEX = "0123456789abcdef"


def made(length: int, alphabet: str = ALNUM) -> str:
    """Keys are made here, so that no scanner takes this file for a leak; each holds a letter of both cases, a digit."""
    while True:
        text = "".join(RANDOM.choice(alphabet) for _ in range(length))
        if any(c.isdigit() for c in text) and (alphabet is not ALNUM or any(c.isupper() for c in text)):
            return text


def uuid() -> str:
    return "-".join(made(n, HEX) for n in (8, 4, 4, 4, 12))


# (what stands before the key, the key, what stands behind it)
VENDORS = {
    "1Password": ("ops_eyJ", made(120), ""),
    "age": ("AGE-SECRET-KEY-1", made(58, UPPER), ""),
    "AWS session": ("IQoJb3JpZ2lu", made(160), ""),
    "Azure": (made(3) + "8Q~", made(34), ""),
    "Docker": ("dckr_" + "pat_", made(27), ""),
    "Doppler": ("dp.pt.", made(43), ""),
    "Fly": ("FlyV1 fm2_", made(100), ""),
    "GitHub, long": ("ghs_", made(520), "." + made(30)),
    "GitLab, routable": ("glpat-", made(27), ".01." + made(9, "0123456789abcdefghij")),
    "Grafana": ("glsa_", made(32), "_" + made(8, HEX)),
    "Grafana cloud": ("glc_", made(80), ""),
    "Heroku": ("HRKU-", uuid(), ""),
    "Linear": ("lin_api_", made(40), ""),
    "Mailgun": ("key-", made(32, HEX), ""),
    "Netlify": ("nfp_", made(40), ""),
    "New Relic": ("NRAK-", made(27, UPPER), ""),
    "Notion": ("ntn_", made(46), ""),
    "Notion, old": ("secret_", made(43), ""),
    "Perplexity": ("pplx-", made(48), ""),
    "Pinecone": ("pcsk_", made(70), ""),
    "Postman": ("PMAK-", made(24, HEX), "-" + made(34, HEX)),
    "Pulumi": ("pul-", made(40, HEX), ""),
    "Replicate": ("r8_", made(37), ""),
    "RubyGems": ("rubygems_", made(48, HEX), ""),
    "Sentry": ("sntrys_", made(90), ""),
    "Supabase": ("sbp_", made(40, HEX), ""),
    "Supabase, new": ("sb_secret_", made(31), ""),
    "Terraform": (made(14) + ".atlasv1.", made(64), ""),
    "Vault": ("hvs.", made(90), ""),
    "Vercel": ("vercel_", made(24), ""),
    "xAI": ("xai-", made(80), ""),
    "Adobe": ("p8e-", made(32), ""),
    "Airtable": ("pat" + made(14) + ".", made(64, HEX), ""),
    "Alibaba": ("LTAI", made(20), ""),
    "Artifactory": ("AKCp", made(69), ""),
    "Atlassian": ("ATATT3", made(186), ""),
    "Authress": ("sc_" + made(12) + ".ab12.acc-", made(12, HEX), "." + made(40)),
    "AWS Bedrock": ("ABSK", made(120), ""),
    "Buildkite": ("bkua_", made(40, HEX), ""),
    "CircleCI": ("CCIPAT_", made(22), "_" + made(40, HEX)),
    "Clojars": ("CLOJARS_", made(60), ""),
    "Cloudflare": ("v1.0-" + made(24, HEX) + "-", made(146, HEX), ""),
    "Contentful": ("CFPAT-", made(43), ""),
    "Defined Networking": ("dnkey-" + made(26) + "-", made(52), ""),
    "Dropbox": ("sl.", made(135), ""),
    "Duffel": ("duffel_live_", made(43), ""),
    "Dynatrace": ("dt0c01." + made(24, UPPER) + ".", made(64, UPPER), ""),
    "EasyPost": ("EZAK", made(54), ""),
    "Facebook": ("EAAC", made(110), ""),
    "Figma": ("figd_", made(43), ""),
    "Flutterwave": ("FLWSECK_TEST-", made(32, HEX), "-X"),
    "Frame.io": ("fio-u-", made(64), ""),
    "Harness": ("pat." + made(22) + ".", made(24), "." + made(20)),
    "HubSpot": ("pat-na1-", uuid(), ""),
    "Infracost": ("ico-", made(32), ""),
    "Intra42": ("s-s4t2ud-", made(64, HEX), ""),
    "Kaggle": ("KGAT_", made(32, HEX), ""),
    "LangSmith": ("lsv2_pt_", made(32, HEX), "_" + made(10, HEX)),
    "LaunchDarkly": ("sdk-", uuid(), ""),
    "Lob": ("live_", made(35, HEX), ""),
    "MaxMind": (made(6) + "_", made(29), "_mmk"),
    "NVIDIA": ("nvapi-", made(64), ""),
    "Octopus": ("API-", made(26, UPPER), ""),
    "OpenShift": ("sha256~", made(43), ""),
    "Plaid": ("access-production-", uuid(), ""),
    "PlanetScale": ("pscale_tkn_", made(43), ""),
    "PostHog": ("phx_", made(43), ""),
    "Prefect": ("pnu_", made(36), ""),
    "ReadMe": ("rdme_", made(70, string.ascii_lowercase + string.digits), ""),
    "Resend": ("re_" + made(8) + "_", made(24), ""),
    "Scalingo": ("tk-us-", made(48), ""),
    "Sendinblue": ("xkeysib-", made(64, HEX), "-" + made(16)),
    "SettleMint": ("sm_pat_", made(16), ""),
    "Shippo": ("shippo_live_", made(40, HEX), ""),
    "Sonar": ("squ_", made(40, HEX), ""),
    "Sourcegraph": ("sgp_" + made(16, HEX) + "_", made(40, HEX), ""),
    "Square": ("sq0atp-", made(22), ""),
    "Tailscale": ("tskey-auth-", made(17), "-" + made(32)),
    "Tavily": ("tvly-dev-", made(32), ""),
    "Twitter": ("A" * 22, made(84), ""),
    "Typeform": ("tfp_", made(59), ""),
    "Weights & Biases": ("wandb_v1_", made(60), ""),
    "Yandex": ("AQVN", made(36), ""),
    "Teams": ("https://acme.webhook.office.com/webhookb2/", uuid(), f"@{uuid()}/IncomingWebhook/{made(32, HEX)}"),
    "PuTTY": ("PuTTY-User-Key-File-3: ssh-ed25519\nPrivate-Lines: 1\n", made(60), "\nPrivate-MAC: 1"),
    "shadow": ("root:$6$saltsalt$", made(86), ":19000:0:99999:7:::"),
    "bcrypt": ("$2b$12$", made(53), ""),
    "AWS, id and secret": ("['AKIA" + made(16, UPPER) + "', '", made(40), "']"),
}  # fmt: skip


@pytest.mark.parametrize("vendor", VENDORS)
@pytest.mark.parametrize("around", ["{}", "x = '{}'", "see {}, please", '["{}"]', "a\n{}\nb"])
def test_a_vendors_key_is_masked_to_its_end(vendor: str, around: str) -> None:
    before, key, behind = VENDORS[vendor]
    if vendor in ("PuTTY", "AWS, id and secret") and around != "{}":
        return
    masked = mask(around.format(before + key + behind))
    for part in (key[:12], key[-12:], behind.strip("'].")[-9:] if vendor not in ("PuTTY", "shadow") else ""):
        assert not part or part not in masked
    assert "<masked: " in masked
    assert mask(masked) == masked


AWS_SECRET = made(40)
MIXED = "a8f5f167f44f4964e6c998dee827110c"
WRITTEN = [
    ("Config(password=Pa55w0rd)", "Pa55w0rd"),
    ("Config(host='h', password=Pa55w0rd, port=1)", "Pa55w0rd"),
    ("psycopg2.connect('host=h user=u password=Pa55w0rd')", "Pa55w0rd"),
    ("dsn = 'host=h password=Pa55w0rd dbname=x'", "Pa55w0rd"),
    (f"https://api.x.com/v1?token={MIXED}", MIXED),
    (f"https://api.x.com/v1?user=ann&api_key={MIXED}&page=2", MIXED),
    (f"https://maps.x.com/?key={MIXED}", MIXED),
    ("https://x.com/?password=Pa55w0rd", "Pa55w0rd"),
    ("postgresql://user:pa/ss9@host/db", "pa/ss9"),
    ("postgresql://user:p/a/ss@host:5432/db", "p/a/ss"),
    ("https://ann:tok/en9@github.com/x.git", "tok/en9"),
    (f"curl -H 'X-Api-Key: {MIXED}' https://x", MIXED),
    (f"X-Api-Key: {MIXED}", MIXED),
    (f'curl -H "Private-Token: {MIXED}"', MIXED),
    ("machine api.x.com login ann password Pa55w0rd", "Pa55w0rd"),
    ("machine api.x.com\n  login ann\n  password swordfish", "swordfish"),
    ("mysql -u root -pPa55w0rd db", "Pa55w0rd"),
    ("mysqldump -pswordfish db", "swordfish"),
    ("sshpass -p Pa55w0rd ssh ann@h", "Pa55w0rd"),
    ("oracledb.connect('ann/Pa55w0rd@db')", "Pa55w0rd"),
    ("sqlplus ann/Pa55w0rd@orcl", "Pa55w0rd"),
    ("ValueError: login failed for ann/Pa55w0rd5@orcl", "Pa55w0rd5"),
    (f"wandb.login(key='{MIXED}12345678')", MIXED),
    (f'{{"username":"ann","key":"{MIXED}"}}', MIXED),
    (f"{{'key': '{MIXED}', 'username': 'ann'}}", MIXED),
    ("ssh.connect('h', 22, 'ann', 'Pa55w0rd!')", "Pa55w0rd!"),
    ("h:5432:db:ann:Pa55w0rd", "Pa55w0rd"),
    ("the password for ann is Pa55w0rd", "Pa55w0rd"),
    ("mot_de_passe = 'Secret123!'", "Secret123!"),
    ("clave = 'Secret123!'", "Secret123!"),
    ("wachtwoord: 'Secret123!'", "Secret123!"),
    ("pin = 4821", "4821"),
    ("card_pin = '4821'", "4821"),
    ("{'user': 'ann', 'api key': 'k-1234-x'}", "k-1234-x"),
    (f"aws_secret_access_key = {AWS_SECRET}", AWS_SECRET),
    ("docker login -u ann -p Pa55w0rd reg.io", "Pa55w0rd"),
    ("twine upload -u __token__ -p Pa55w0rd dist/*", "Pa55w0rd"),
    ("redis-cli -h h -a Pa55w0rd ping", "Pa55w0rd"),
    ("mongosh -u ann -p Pa55w0rd --authenticationDatabase admin", "Pa55w0rd"),
    ("ldapsearch -x -D cn=admin -w Pa55w0rd -b dc=x", "Pa55w0rd"),
    ("smbclient -U ann%Pa55w0rd //h/s", "Pa55w0rd"),
    ("openssl rsa -in k.pem -passin pass:Pa55w0rd", "Pa55w0rd"),
    ("http --auth ann:Pa55w0rd x.org", "Pa55w0rd"),
    ("wget --password=swordfish --user=ann x.org", "swordfish"),
    (f"aws configure set aws_secret_access_key {AWS_SECRET}", AWS_SECRET),
    ("echo 'ann:Pa55w0rd' | chpasswd", "Pa55w0rd"),
    ("echo Pa55w0rd | sudo -S ls", "Pa55w0rd"),
    ("<server><username>ann</username><password>swordfish</password></server>", "swordfish"),
    (f'<add key="ApiToken" value="{MIXED}"/>', MIXED),
    (f'{{"auths": {{"reg.io": {{"auth": "{MIXED}"}}}}}}', MIXED),
    ("kind: Secret\ndata:\n  password: UGE1NXcwcmQheA==", "UGE1NXcwcmQheA"),
    (f"PRIVATE-TOKEN: {MIXED}", MIXED),
    (f"Ocp-Apim-Subscription-Key: {MIXED}", MIXED),
    ("CREATE USER ann WITH PASSWORD 'swordfish'", "swordfish"),
    ("CREATE USER 'ann'@'h' IDENTIFIED BY 'swordfish'", "swordfish"),
    ('storePassword "swordfish"', "swordfish"),
    (f"('fs.s3a.secret.key', '{AWS_SECRET}')", AWS_SECRET),
    ('network={ssid="x" psk="Pa55w0rd"}', "Pa55w0rd"),
    (f"sessionid={AWS_SECRET}", AWS_SECRET),
    (f"export DATADOG_KEY={MIXED}", MIXED),
    ("mnemonic = 'abandon ability able about above absent absorb abstract absurd abuse access accident'", "ability"),
    ("login = 'Pa55w0rd'", "Pa55w0rd"),
    ('{"user":{"0":"ann"},"api key":{"0":"k-1234-x","1":"k-99-y"}}', "k-99-y"),
    ('{"columns":["user","api key"],"index":[0],"data":[["ann","k-1234-x"]]}', "k-1234-x"),
    ("{'index': [0], 'columns': ['user', 'password'], 'data': [['ann', 'swordfish']]}", "swordfish"),
    ('[{"name":"db_password","value":"swordfish"},{"name":"region","value":"eu"}]', "swordfish"),
    ('{"name":{"0":"db_password","1":"region"},"value":{"0":"swordfish","1":"eu"}}', "swordfish"),
    ("env:\n - name: DB_PASSWORD\n   value: swordfish\n", "swordfish"),
]


@pytest.mark.parametrize(("text", "secret"), WRITTEN)
def test_a_password_as_people_write_it_is_masked(text: str, secret: str) -> None:
    masked = mask(text)
    assert secret not in masked
    assert "<masked: " in masked
    assert mask(masked) == masked
    try:
        ast.parse(text)
    except SyntaxError:
        return
    ast.parse(masked)


WRAPPED = {
    "of one length": ("ghp_", made(36), 18, "\n"),
    "between quotes": ("sk-proj-", made(48), 20, "'\n '"),
    "without an end": ("eyJhbGciOiJIUzI1NiJ9.eyJz", made(12) + "." + made(43), 30, "\n"),
    "in a string's repr": ("ghp_", made(36), 18, "\\n"),
    "indented": ("hvs.", made(90), 40, "\n      "),
}


@pytest.mark.parametrize("how", WRAPPED)
def test_a_key_that_goes_on_in_the_next_line_is_masked_to_its_end(how: str) -> None:
    before, key, place, gap = WRAPPED[how]
    masked = mask(f"['{before}{key[:place]}{gap}{key[place:]}']\nthe next line")
    assert key[:8] not in masked
    assert key[-8:] not in masked
    assert "\nthe next line" in masked


@pytest.mark.parametrize("behind", ["user_42", "the rest", "2024-01-02T03:04:05", "AB12345", "df.head(3)"])
def test_the_line_behind_a_whole_key_stays(behind: str) -> None:
    for key in ("sk-proj-" + made(48), "ghp_" + made(36)):
        assert mask(f"{key}\n{behind}").endswith(f"\n{behind}")


STAYS = [
    # names of a login, and what stands beside names
    "login = 'ann42'",
    "login: Ann.Miller1990",
    "{'login': 'AB12345', 'last_login': '2024-01-02T03:04:05'}",
    "login='ann.b4ker@example.org'",
    '[{"name":"token_limit","value":"abc123def"},{"name":"region","value":"eu-west-1"}]',
    '{"columns":["key","value"],"index":[0],"data":[["K001a","north12"]]}',
    "env:\n - name: REGION\n   value: eu-west-1\n",
    "secret_santa = 'Ann'",
    "auth_log = 'ab12cd34ef'",
    # command lines
    "docker run -p 8080:80 image",
    "mkdir -p folder/one && cp -a src dst",
    "ssh -p 2222 ann@host",
    "redis-cli -h localhost -p 6379",
    "openssl enc -aes-256-cbc -in file",
    "tool --password",
    "  --password TEXT  the password of the database",
    # like a vendor's key
    "key-value pairs, key-1 and key-2",
    "vercel_deployment_environment_names",
    "secret_santa_participants_of_the_year",
    "hvs.head(20)",
    "r8_encoding = 'utf8'",
    "dp.pt.transform(x)",
    "the pul-down menu",
    "sbp_mean = df['sbp'].mean()",
    "nfp_report = pd.read_csv('nfp_2024.csv')",
    "xai-explanations of the model",
    "f'${price}$5$'",
    "costs $1$ and $5, $6 or $7",
    # addresses
    "https://example.org:8080/a@b?x=1",
    "http://localhost:8888/users/@me",
    "https://x.com/?key=value1&token=2",
    "https://x.com/search?q=password+reset&page=2",
    "https://shop.com/item?key=summer-sale",
    "https://api.x.com/items?next_token=&limit=50",
    "http://host:80/path/to@file.txt",
    # code
    "connect(user=user, password=pw2, port=1)",
    "connect(user=user, password=password1)",
    "Config(password=DB_PASSWORD_2)",
    "hash(password=sha256_hex)",
    "df.merge(other, on='key', how='left')",
    "sorted(rows, key='name')",
    "client.get(key='user:42:profile')",
    "pins = [13, 27]",
    "pin = 13",
    "led_pin = 4821",
    "gpio.setup(pin=13)",
    "pin_code = 560001",
    "df['pin_code'] = '560001'",
    "token_count = 48211234",
    "token = tokens[3]",
    "mysql -u root -p db",
    "mysql --host=db -P 3306",
    "ssh -p 2222 ann@host",
    # data
    "user/repo@main",
    "actions/checkout@v4",
    "pip install git+https://github.com/user/repo2@v1",
    "docker pull org/image2@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "md5: d41d8cd98f00b204e9800998ecf8427e",
    "2024-01-02 10:11:12:INFO:main:started",
    "10.0.0.1:5432:up:ok:12345",
    "{'username': 'ann', 'key': 'k1'}",
    "the machine will login and ask for a password",
    "connect the dots/lines@2x.png",
    "session_id: 9f86d081884c7d659a2feaa0c55ad015",
]


@pytest.mark.parametrize("text", STAYS)
def test_what_is_only_like_a_secret_stays(text: str) -> None:
    assert mask(text) == text


def test_a_password_in_a_variables_address_is_known_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgres://u:hunter2hunter2@db/x")
    assert mask("it says hunter2hunter2 here") == "it says <masked: password> here"
