"""Forms that are secrets wherever they stand: what vendors' keys look like, and how people write passwords down.

A table to be read and added to: what to call it, a text without which the form cannot match (so that most forms cost
a search for a word), and the expression; its group, or all of it, is the secret. The vendors' forms were written after
the public list of gitleaks' rules (https://github.com/gitleaks/gitleaks) and the vendors' own descriptions. What they
have in common is a prefix of the vendor's: forms without one (a git hash, a UUID, 40 random letters) are data as well.
"""

from __future__ import annotations

import re
from typing import NamedTuple

_STRING = r"(?:'[^'\n]*'|\"[^\"\n]*\")"
# A word that mixes letters and digits, up to a blank or a quote.
_MIXED = r"(?=[^\s'\"@/]*\d)(?=[^\s'\"@/]*[A-Za-z])"


class Form(NamedTuple):
    """`kind`: what stands in its place; `marker`: what must stand in the text, in any case; `expression`: as above."""

    kind: str
    marker: str
    expression: re.Pattern[str]


def _table(*rows: tuple[str, str, str]) -> tuple[Form, ...]:
    return tuple(Form(kind, marker, re.compile(expression)) for kind, marker, expression in rows)


# detect-secrets' detectors: module, class, what to call it, and characters without which none of its expressions
# matches (some would take quadratic time over a long line).
DETECTORS = (
    ("aws", "AWSKeyDetector", "AWS key", r"A3T|A(?:BI|CC|KI|SI)A|(?i:aws)"),
    ("azure_storage_key", "AzureStorageKeyDetector", "Azure key", "AccountKey="),
    ("discord", "DiscordBotTokenDetector", "Discord token", r"[MNO][\w-]{23,25}\.[\w-]{6}\."),
    ("github_token", "GitHubTokenDetector", "GitHub token", "gh[pousr]_"),
    ("gitlab_token", "GitLabTokenDetector", "GitLab token", "gl[a-z]{2,6}-|GR1348941"),
    ("mailchimp", "MailchimpDetector", "Mailchimp key", r"-us\d"),
    ("openai", "OpenAIDetector", "OpenAI key", "T3BlbkFJ"),
    ("pypi_token", "PypiTokenDetector", "PyPI token", "pypi-AgE"),
    ("sendgrid", "SendGridDetector", "SendGrid key", r"SG\."),
    ("slack", "SlackDetector", "Slack token", r"(?i:xox|hooks\.slack)"),
    ("square_oauth", "SquareOAuthDetector", "Square secret", "sq0csp-"),
    ("stripe", "StripeDetector", "Stripe key", "[rs]k_live_"),
    ("telegram_token", "TelegramBotTokenDetector", "Telegram token", r"\d{8}:[\w-]{35}"),
    ("twilio", "TwilioKeyDetector", "Twilio key", "AC[a-z0-9]{32}|SK[a-z0-9]{32}"),
)

PEM = re.compile(
    r"-----BEGIN [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:(?!-----)[^\0]){0,20000}-----END [A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----"
    r"|(?:(?:\s|\\[nr])*[A-Za-z0-9+/=]{16,})*)"
)
CARD = re.compile(r"(?<![\d-])(?:4\d{3}|5[1-5]\d\d|6011|2[2-7]\d\d)([ -])\d{4}\1\d{4}\1\d{4}(?![\d-])")

# --- keys and tokens of vendors ---------------------------------------------------------------------

VENDORS = _table(
    ("1Password token", "ops_eyj", r"\bops_eyJ[\w+/=-]{40,}"),
    ("1Password key", "a3-", r"\bA3-[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}\b"),
    ("age key", "age-secret-key-1", r"\bAGE-SECRET-KEY-1[A-Za-z0-9]{40,}"),
    ("AWS key", "kia", r"\bA[KS]IA[A-Z0-9]{16}['\"]?[\s,:/]{1,4}['\"]?([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])"),
    ("AWS token", "iqojb3jp", r"\bIQoJb3JpZ2lu[\w+/=]{80,}"),
    ("AWS token", "wogzxivyxdz", r"\bF[wQ]oGZXIvYXdz[\w+/=]{80,}"),
    ("Azure secret", "q~", r"(?<![\w~.-])[\w~.]{3}\dQ~[\w~.-]{31,40}(?![\w~-])"),
    ("API key", "gsk_", r"\bgsk_\w{20,}"),
    ("API key", "sk-", r"\bsk-(?:proj|svcacct|admin|ant|or|lf)-[\w-]{20,}|\bsk-[A-Za-z0-9]{32,}\b"),
    ("Databricks token", "dapi", r"\bdapi[a-f0-9]{32}(?:-\d)?\b"),
    ("DigitalOcean token", "_v1_", r"\bdo[opr]_v1_[a-f0-9]{64}"),
    ("Docker token", "dckr_", r"\bdckr_[po]at_[\w-]{20,}"),
    ("Doppler token", "dp.", r"\bdp\.(?:pt|st|ct|sa|scim|audit)\.[\w.-]{30,}\w"),
    ("Fly token", "fm", r"\bfm[12][ar]?_[\w+/=-]{40,}(?:,fm[12][ar]?_[\w+/=-]{40,})*"),
    ("Fly token", "fo1_", r"\bfo1_[\w-]{40,}"),
    ("GitHub token", "ghs_", r"\bghs_[\w.-]{35,}\w"),
    ("GitHub token", "gh", r"\bgh[pour]_[A-Za-z0-9]{36,}"),
    ("GitHub token", "github_pat_", r"\bgithub_pat_\w{20,}"),
    ("GitLab token", "gl", r"\bgl(?:pat|ptt|dt|rt|cbt|ft|imt|agent|soat|ffct|oas)-[\w-]{20,}(?:\.\w{2}\.\w{7,12})?"),
    ("Google key", "aiza", r"\bAIza[\w-]{35}"),
    ("Google token", "ya29.", r"\bya29\.[\w-]{20,}"),
    ("Google token", "gocspx-", r"\bGOCSPX-[\w-]{20,}"),
    ("Grafana token", "glsa_", r"\bglsa_[A-Za-z0-9]{32}_[A-Fa-f0-9]{8}\b"),
    ("Grafana token", "glc_", r"\bglc_[A-Za-z0-9+/]{32,}={0,3}"),
    ("Heroku key", "hrku-", r"\bHRKU-(?:[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|AA[\w-]{40,})"),
    ("Hugging Face token", "hf_", r"\bhf_[A-Za-z0-9]{30,}"),
    ("Hugging Face token", "api_org_", r"\bapi_org_[A-Za-z0-9]{30,}"),
    ("JWT", "eyj", r"(?<![\w-])eyJ[\w=-]{8,}\.[\w=-]{4,}\.?[\w.+/=-]*"),
    ("Linear key", "lin_", r"\blin_(?:api|oauth)_[A-Za-z0-9]{32,}"),
    ("Mailgun key", "key-", r"(?<![\w-])(?:pub)?key-[a-f0-9]{32}\b"),
    ("Netlify token", "nf", r"\bnf[pcoubi]_[A-Za-z0-9]{36,}"),
    ("New Relic key", "nr", r"\bNR(?:AK-[A-Z0-9]{27}|II-[\w-]{32}|JS-[a-f0-9]{19}|RA-[a-f0-9]{42})\b"),
    ("Notion token", "ntn_", r"\bntn_[A-Za-z0-9]{40,}"),
    ("Notion token", "secret_", r"\bsecret_(?=[A-Za-z0-9]*\d)(?=[A-Za-z0-9]*[A-Z])[A-Za-z0-9]{40,48}\b"),
    ("npm token", "npm_", r"\bnpm_[A-Za-z0-9]{36}"),
    ("npm token", ":_authtoken=", r":_authToken=(?!<|\$)([^\s]+)"),
    ("Perplexity key", "pplx-", r"\bpplx-[A-Za-z0-9]{40,}"),
    ("Pinecone key", "pcsk_", r"\bpcsk_\w{40,}"),
    ("Postman key", "pmak-", r"\bPMAK-[a-fA-F0-9]{24}-[a-fA-F0-9]{34}\b"),
    ("Pulumi token", "pul-", r"\bpul-[a-f0-9]{40}\b"),
    ("Replicate token", "r8_", r"\br8_[A-Za-z0-9]{37,}"),
    ("RubyGems key", "rubygems_", r"\brubygems_[a-f0-9]{48}\b"),
    ("Sentry token", "sntry", r"\bsntry(?:s_[\w+/=-]{60,}|u_[a-f0-9]{64})"),
    ("Shopify token", "shp", r"\bshp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}"),
    ("Slack token", "xox", r"\bxox[a-z]-[\w-]{10,}"),
    ("Slack token", "xapp-", r"\bxapp-[\w-]{10,}"),
    ("Stripe key", "k_", r"\b[rs]k_(?:test|live)_\w{16,}"),
    ("Stripe key", "whsec_", r"\bwhsec_\w{20,}"),
    ("Supabase key", "sbp_", r"\bsbp_[a-f0-9]{40}\b"),
    ("Supabase key", "sb_secret_", r"\bsb_secret_[\w-]{20,}"),
    ("Terraform token", ".atlasv1.", r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w=-]{40,}"),
    ("Vault token", "hv", r"\bhv[sbr]\.[\w-]{20,}"),
    ("Vercel token", "vercel_", r"\bvercel_(?=[A-Za-z]*\d)[A-Za-z0-9]{24,}\b"),
    ("xAI key", "xai-", r"\bxai-[A-Za-z0-9]{60,}"),
    ("webhook", "/api/webhooks/", r"https://(?:\w+\.)?discord(?:app)?\.com/api/webhooks/(\d+/[\w-]{20,})"),
    ("webhook", ".webhook.office.com/", r"https://[\w.-]+\.webhook\.office\.com/(webhookb?\d*/[\w@/.-]{30,})"),
    ("webhook", ".logic.azure.com", r"https://[\w.-]+\.logic\.azure\.com(?::\d+)?/[^\s'\"]*?[?&]sig=([\w%-]{20,})"),
    ("private key", "private-lines:", r"Private-Lines: \d+\r?\n((?:[A-Za-z0-9+/=]{1,80}(?:\r?\n|$))+)"),
    ("password hash", "$", r"\$(?:1|2[abxy]?|5|6|7|y|gy|apr1|sha1|argon2(?:id|i|d))\$[\w./,=+$-]{16,}"),
)  # fmt: skip

# --- passwords and tokens as people and programs write them -----------------------------------------

WRITTEN = _table(
    ("password", "://", r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@'\"<>]{0,100}:"
                        r"(?!\{[^{}]*\}@|<masked|\*+@|%s@|\$\{?\w+\}?@)([^\s'\"/?#]{1,200})@(?=[\w\[{.%-])"),
    # With a slash in it; what is a port is none.
    ("password", "://", r"\b[A-Za-z][A-Za-z0-9+.-]{1,20}://[^\s:/@'\"<>.]{0,100}:"
                        r"(?!\{|<masked|\*|%s|\$|\d+[/?#])([^\s'\"?#@]{1,200})@(?=[\w\[.-]+(?:[:/?#\s'\"]|$))"),
    ("token", "://", r"\b(?:https?|git)://([A-Za-z0-9_-]{20,})@(?=\w)"),
    ("signature", "sig", r"[?&](?:sig|X-Amz-Signature)=([\w%+/=-]{20,})"),
    ("secret", "=", r"[?&](?i:password|passwd|pwd|secret|client_secret|api_?key|app_?key|access_token|auth_token|"
                    r"refresh_token|id_token)=(?!<masked|\{|\$|%s|&)([^\s&#'\"]{4,})"),
    ("token", "=", r"[?&](?i:token|key|apikey|auth|private_token|access_key|subscription-key|sas)="
                   r"(?=[\w.~%+/-]*\d)(?=[\w.~%+/-]*[A-Za-z])([\w.~%+/-]{16,}=*)"),
    ("token", "earer", r"\b[Bb]earer\s+(?=[\w.~+/-]*\d|[\w.~+/-]{24})([\w.~+/-]{6,}=*)"),
    ("credential", "authorization", r"(?i:\bauthorization\b['\"]?\s*[:=]\s*['\"]?"
                                    r"(?:basic|digest|token|apikey|negotiate)\s+)([\w.~+/=-]{6,})"),
    ("cookie", "cookie", r"(?i:\b(?:set-)?cookie)['\"]?\s*:\s*['\"]?(?!<masked)([\w.-]+=[^'\"\n]{4,})"),
    ("password", "", r"(?:密码|口令|パスワード|비밀번호)(?:\s*(?:是|为|は|:|：|=)\s*)['\"“「]?(?!<masked)"
                     r"([\x21\x23-\x26\x28-\x2b\x2d-\x3a\x3c-\x7e]{3,})"),
    ("token", "", r"(?:令牌|密钥|私钥)(?:\s*(?:是|为|:|：|=)\s*)['\"“]?(?!<masked)"
                  r"([\x21\x23-\x26\x28-\x2b\x2d-\x3a\x3c-\x7e]{6,})"),
    ("password", "", r"\b(?i:my|the|our|with|use) (?i:password|passphrase|passcode|pwd)(?: is|:)? "
                     r"(?=\S*[\d!@#$%^&*])(?![<'\"])([^\s'\",;]{4,}[^\s'\",;.?])"),
    ("password", "password for", rf"\b(?i:password|passphrase|pwd) (?:for|of) [\w.@-]+ is {_MIXED}(?!<)"
                                 r"([^\s'\",;]{5,}[^\s'\",;.?!])"),
    ("password", "my pass", r"\bmy (?:password|passphrase) is (?!(?:not|no|too|a|the|in|on|set|still|wrong|missing|"
                            r"required|invalid|incorrect|empty|stored|expired|weak|correct|never|being|what|also|very)"
                            r"\b)([a-z]{5,})\b"),
    ("password", "(", r"(?:\b(?:HTTPBasicAuth|auth\s*=\s*|auth=)|\.login)\(\s*"
                      r"(?:'[^'\n]*'|\"[^\"\n]*\"|[\w.@]+)\s*,\s*['\"](?!<masked)([^'\"\n]+)['\"]"),
    ("password", "connect(", rf"\.connect\(\s*(?:{_STRING}|\w+)\s*,\s*\d+\s*,\s*(?:{_STRING}|\w+)\s*,\s*"
                             r"['\"](?!<masked)([^'\"\n]+)['\"]"),
    ("secret", "env", r"(?:setenv|putenv|getenv|environ\.get)\(\s*['\"]\w*"
                      r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PWD)\w*['\"]\s*,\s*['\"](?!<masked)([^'\"\n]+)['\"]"),
    ("secret", "setdefault", r"setdefault\(\s*['\"]\w*"
                             r"(?:KEY|TOKEN|SECRET|PASSWORD|PASSWD|PWD)\w*['\"]\s*,\s*['\"](?!<masked)([^'\"\n]+)['\"]"),
    ("password", "curl", r"\bcurl\b[^\n|]{0,200}? (?:-u|--user)[ =]['\"]?[\w.@-]+:(?!<masked|\$|\{)([^\s'\"]+)"),
    ("password", "sshpass", r"\bsshpass\s+-p\s*['\"]?(?!<masked|\$|\{)([^\s'\"]+)"),
    ("password", "-p", r"\b(?:mysql\w*|mariadb\w*)\b[^\n|;]{0,200}?\s-p['\"]?(?!assword|<masked|\$|\{)([^\s'\"]{3,})"),
    ("password", "machine", r"\bmachine\s+\S+\s+login\s+\S+\s+password\s+(?!<masked)(\S+)"),
    ("password", "", r"(?m)^[\w.*-]+:(?:\d{2,5}|\*):[\w*-]+:[\w.*-]+:(?!<masked|\d+$)([^\s:]{4,})$"),
    # Oracle's user/password@service, where the line says that it is about signing in.
    ("password", "/", r"(?i:\b(?:sqlplus|sqlldr|expdp|impdp|rman)\b|connect|log ?[io]n|oracle|ORA-\d)[^\n]{0,80}?"
                      rf"(?<![\w/.:])[A-Za-z]\w{{0,30}}/(?!<masked){_MIXED}([^\s/@'\"]{{4,}})@(?=[\w(])"),
    ("API key", "key", r"(?i:login|authenticate|auth|client|connect|signin|sign_in|set_api)\w*\("
                       r"(?:\s*\w+\s*=\s*[^,()\n]{1,80},)*\s*key\s*=\s*['\"](?=[\w-]*\d)([\w-]{20,})['\"]"),
    # kaggle.json
    ("API key", "username", r"(?i:(['\"])username\1\s*:\s*(['\"])[^'\"\n]*\2\s*,\s*)(['\"])key\3\s*:\s*(['\"])"
                            r"(?P<secret>(?!<masked)[^'\"\n]{8,})\4"),
    ("API key", "username", r"(['\"])key\1\s*:\s*(['\"])(?P<secret>(?!<masked)[^'\"\n]{8,})\2\s*,\s*(['\"])username\4"),
    ("API key", "", r"\b(?i:api key|access key|secret key|access token|api token) (?=[\w-]*\d)(?=[\w-]*[A-Za-z])"
                    r"([\w-]{8,})"),
    ("password", "", r"(?:密码|口令|令牌|密钥) (?=[\x21-\x7e]*\d)(?=[\x21-\x7e]*[A-Za-z])([\w!@#$%^&*.-]{5,})"),
    ("secret", "secretstr(", r"\bSecretStr\(\s*['\"](?!<masked)([^'\"\n]+)['\"]"),
    ("secret", "otpauth:", r"\botpauth://[^\s'\"]*?[?&]secret=([A-Z2-7=]{8,})"),
)  # fmt: skip

FORMS: tuple[Form, ...] = (*VENDORS, *WRITTEN)
