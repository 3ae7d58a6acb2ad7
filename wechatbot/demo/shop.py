"""Fill an empty database with the demo shop, never one that real customers write to.

Passwords are generated and kept in DATA_DIR/secrets.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.contrib.auth.models import Group, Permission, User
from django.db import transaction

from knowledge.exchange.faqs import import_rows
from knowledge.models import FAQ
from tickets.models import Agent
from wechat.models import OfficialAccount
from wechatbot.generated import generated, random_text

FAQS = Path(__file__).with_name("faqs.csv")
AGENTS = {"liming": "李明", "wangfang": "王芳"}
AGENTS_GROUP = "客服人员"
# What an agent needs in the admin: tickets with their conversations, and the FAQs to look things
# up.
AGENT_MAY = (
    *(
        "view_ticket",
        "change_ticket",
        "view_conversation",
        "view_message",
        "view_reply",
        "view_customer",
    ),
    *("view_faq", "view_phrasing", "view_category"),
)
PASSWORD_LENGTH = 16


@dataclass(frozen=True)
class Login:
    username: str
    password: str
    password_file: Path

    @property
    def in_words(self) -> str:
        return f"{self.username:<10}password {self.password}   (kept in {self.password_file})"


@dataclass(frozen=True)
class Loaded:
    faqs: int
    logins: tuple[Login, ...]


class NotEmpty(Exception):
    """Somebody's own data is here."""


class RealAccount(Exception):
    """Real customers would read made-up answers."""


def is_empty() -> bool:
    return not FAQ.objects.exists() and not User.objects.exists()


def has_real_account() -> bool:
    """Whether WeChat's own customers may write to us: of an account that is not the simulator's."""
    if settings.WECHAT_APP_ID and not settings.WECHAT_IS_SIMULATED:
        return True
    return (
        OfficialAccount.objects.filter(enabled=True).exclude(app_id=settings.WECHAT_APP_ID).exists()
    )


@transaction.atomic
def load() -> Loaded:
    if has_real_account():
        raise RealAccount
    if not is_empty():
        raise NotEmpty
    result = import_rows(FAQS.read_text(encoding="utf-8-sig"))
    group = _agents_group()
    agents = [_make_agent(name, shown, group) for name, shown in AGENTS.items()]
    return Loaded(result.new, (make_admin(), *agents))


def make_admin() -> Login:
    """The first login. It is no part of the demo: without it nobody gets in."""
    login = _login("admin", settings.SECRETS_DIR / "admin_password")
    User.objects.create_superuser(login.username, password=login.password)
    return login


def _make_agent(username: str, display_name: str, group: Group) -> Login:
    login = _login(username, agent_password_file(username))
    user = User.objects.create_user(
        username, password=login.password, first_name=display_name, is_staff=True
    )
    user.groups.add(group)
    Agent.objects.create(user=user, display_name=display_name)
    return login


def agent_password_file(username: str) -> Path:
    return settings.SECRETS_DIR / f"agent_{username}_password"


def _login(username: str, file: Path) -> Login:
    password = generated(file.parent, file.name, lambda: random_text(PASSWORD_LENGTH))
    return Login(username, password, file)


def _agents_group() -> Group:
    group, _made = Group.objects.get_or_create(name=AGENTS_GROUP)
    group.permissions.set(Permission.objects.filter(codename__in=AGENT_MAY))
    return group
