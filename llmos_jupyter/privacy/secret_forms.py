"""Forms that are secrets wherever they stand: those of `secret_vendors`, and how people and programs write passwords.

Each with what to call it, a text without which the form cannot match, and the expression; its group, or the group
`secret`, or all of it, is the secret.
"""

from __future__ import annotations

import re

from llmos_jupyter.privacy.secret_vendors import VENDORS, Form, table

_STRING = r"(?:'[^'\n]*'|\"[^\"\n]*\")"
# A word that mixes letters and digits, up to a blank or a quote.
_MIXED = r"(?=[^\s'\"@/]*\d)(?=[^\s'\"@/]*[A-Za-z])"


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

# --- passwords and tokens as people and programs write them -----------------------------------------

WRITTEN = table(
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
    ("credential", "auth", r"(['\"])auth\1\s*:\s*(['\"])(?P<secret>(?!<masked)[A-Za-z0-9+/]{8,}={0,2})\2"),
    ("secret", "</", r"<(?:[\w.-]+:)?(?i:[\w.-]*(?:password|passwd|passphrase|secret|api-?_?key|"
                     r"(?:access|auth)-?_?token))(?:\s[^<>]*)?>(?!<|\s*\$|\s*\{|\*+<)([^<>\s][^<>\n]{2,200})</"),
    ("secret", "value=", r"(?i:\b(?:name|key)=(['\"])[\w.-]*(?:password|passwd|secret|api_?key|token)\1\s+"
                         r"value=(['\"]))(?P<secret>(?!<masked|\$|\{)[^'\"<>\n]{3,200})"),
    # netrc, over several lines
    ("password", "password", r"(?m)^[ \t]*(?:machine|default|login|account)\b[^\n]*\n"
                             r"(?:[ \t]+(?:login|account)[ \t]+\S+[ \t]*\n)?[ \t]+password[ \t]+(?!<masked)(\S+)"),
    ("token", "-token:", r"(?im)^[ \t]*(?:private|job|deploy|x-[\w-]{0,40})-token[ \t]*:[ \t]*"
                           r"(?!<masked)([\w.~+/=-]{6,})"),
    ("API key", "-key", r"(?i:\b(?:ocp-apim-subscription|x-[\w-]{0,40}|api|dd-api|dd-application)-key)['\"]?"
                        r"[ \t]*:[ \t]*['\"]?(?!<masked)(?=[\w-]*\d)([\w.~+/=-]{8,})"),
    ("password", "password", r"(?i:\b(?:with|encrypted|set|login)\s+(?:encrypted\s+)?password\s*=?\s*)"
                             r"'(?!<masked)([^'\n]{3,})'"),
    ("password", "identified", r"(?i:\bidentified\s+(?:with\s+\w+\s+)?(?:by|as)\s+)"
                               r"['\"](?!<masked)([^'\"\n]{3,})['\"]"),
    ("password", "password ", r"\b(?:store|key)Password\s+(['\"])(?P<secret>(?!<masked|\$)[^'\"\n]{3,})\1"),
    ("key", "fs.", r"\bfs\.(?:s3[an]?|azure|gs|adl)\.[\w.-]*key[\w.-]*['\"]?\s*[,:=]\s*['\"]?"
                   r"(?!<masked)([\w+/=]{16,})"),
    ("seed phrase", "", r"(?i:\b(?:mnemonic|(?:seed|recovery|backup)[ _]phrase))['\"]?\s*(?:[:=]|is)\s*['\"]?"
                        r"((?:[a-z]{3,8} ){11,23}[a-z]{3,8})\b"),
    ("secret", "secretstr(", r"\bSecretStr\(\s*['\"](?!<masked)([^'\"\n]+)['\"]"),
    ("secret", "otpauth:", r"\botpauth://[^\s'\"]*?[?&]secret=([A-Z2-7=]{8,})"),
)  # fmt: skip

# --- command lines ------------------------------------------------------------------------------------

# Anything but a variable of the shell, or the next option.
_VALUE = r"['\"]?(?!<masked|\$|\{|-)([^\s'\"|;]{4,})"
_ARGUMENTS = r"\b[^\n|;]{0,200}?\s"

COMMANDS = table(
    ("password", "--", rf"(?i:--(?:password|passwd|pass|passphrase|passcode))(?:=| (?=\S*[\d!@#$%^&*])){_VALUE}"),
    ("password", "--auth", rf"\bhttps?{_ARGUMENTS}--auth[ =]['\"]?[\w.@-]+:{_VALUE}"),
    ("password", "login", rf"\b(?:docker|podman|helm|az|oc|skopeo)\s[^\n|;]{{0,80}}?login{_ARGUMENTS}-p[ =]{_VALUE}"),
    ("password", "twine", rf"\btwine{_ARGUMENTS}-p[ =]{_VALUE}"),
    ("password", "redis-cli", rf"\bredis-cli{_ARGUMENTS}-a[ =]{_VALUE}"),
    ("password", "mongo", rf"\bmongo(?:sh|dump|restore|import|export)?{_ARGUMENTS}-p[ =]?{_VALUE}"),
    ("password", "ldap", rf"\bldap\w+{_ARGUMENTS}-w[ =]?{_VALUE}"),
    ("password", "smbclient", rf"\bsmbclient{_ARGUMENTS}(?:-U|--user)[ =]?['\"]?[\w.\\-]+%{_VALUE}"),
    ("password", "pass:", rf"\bopenssl{_ARGUMENTS}-(?:pass|passin|passout)\s+pass:{_VALUE}"),
    ("password", "openssl enc", rf"\bopenssl enc{_ARGUMENTS}-[kK]\s+{_VALUE}"),
    ("password", "sqlcmd", rf"\b(?:sqlcmd|bcp){_ARGUMENTS}-P[ =]?{_VALUE}"),
    ("secret", "aws", rf"\baws\s+configure\s+set\s+(?:\S+\.)?aws_(?:secret_access_key|session_token)\s+{_VALUE}"),
    ("password", "chpasswd", r"\b(?:echo|printf)\s+['\"]?[\w.-]+:(?!<masked|\$|\{)([^\s'\"|]{4,})['\"]?\s*\|"
                             r"[^\n]{0,20}chpasswd"),
    ("password", "sudo", r"\b(?:echo|printf)\s+['\"]?(?!<masked|\$|\{)([^\s'\"|]{4,})['\"]?\s*\|\s*sudo\s+-\w*S"),
)  # fmt: skip

FORMS: tuple[Form, ...] = (*VENDORS, *WRITTEN, *COMMANDS)
