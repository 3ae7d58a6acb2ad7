"""Staff who read Chinese find no English word on any page of the admin, but in names and in the
data.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db.models import Model
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from conversations.models import Reply
from conversations.reasons import reason_words
from llm.explained import WORDS as MODEL_WORDS
from llm.explained import explained as model_error_words
from llm.models import ModelCall
from tests.wechatbot.test_english_pages import MODEL_IDS, MODELS, rows
from tickets.desk.actions import ACTIONS
from tickets.models import Ticket
from wechat import errors
from wechat.explained import WORDS, explained

pytestmark = pytest.mark.django_db
__all__ = ["rows"]  # The fixture is shared with the test of the English pages.

WORD = re.compile(r"[A-Za-z][A-Za-z_-]+[A-Za-z]")
# Names that are the same in Chinese texts: products, protocols, keys of a keyboard, placeholders of
# a text.
NAMES = {
    *("wechatbot", "FAQ", "OpenID", "AppID", "AppSecret", "EncodingAESKey", "Token", "URL"),
    *("CSV", "JSON", "API", "Key", "OpenAI", "LDAP", "token", "access_token", "name"),
    *("Mac", "Command", "Control", "Ctrl", "Enter", "esc", "zh-hans", "English"),
    # A setting that a text tells to change.
    "ALLOWED_PRIVATE_HOSTS",
    # Only a forged form shows these.
    *("ManagementForm", "INITIAL_FORMS", "TOTAL_FORMS"),
    *("phrasings-INITIAL_FORMS", "phrasings-TOTAL_FORMS"),
}
# What the fixture wrote into its rows.
DATA = (
    *(
        "Where is my parcel?",
        "On its way.",
        "Mrs Chang",
        "Refund?",
        "Returns",
        "Money back?",
        "Open today?",
        "Yes.",
    ),
    *(
        "Agents",
        "casino",
        "refund repayment",
        "Be kind.",
        "Welcome.",
        "Shop",
        "small",
        "admin",
        "Li",
        "account",
    ),
    *("oCustomer", "oCus"),
)
ADDRESS = re.compile(r"https?://\S+|developers\.weixin\.qq\.com\S*|\S+@\S+|/wechat")
UNREAD = {"script", "style", "template", "code"}
SHOWN_ATTRIBUTES = {"title", "placeholder", "aria-label", "alt"}


class Reader(HTMLParser):
    """Collects what a person sees or hears of a page: texts, labels and tips, without the icons'
    names.
    """

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: list[str] = []
        self._unread = 0
        self._in_icon = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        classes = values.get("class", "").split()
        self._in_icon = "icon" in classes or any(
            name.startswith("material-symbols") for name in classes
        )
        self._unread += tag in UNREAD
        self.texts += [values[name] for name in SHOWN_ATTRIBUTES & values.keys()]
        if tag == "input" and values.get("type") in {"submit", "button"}:
            self.texts.append(values.get("value", ""))

    def handle_endtag(self, tag: str) -> None:
        self._in_icon = False
        self._unread -= tag in UNREAD

    def handle_data(self, data: str) -> None:
        if not self._unread and not self._in_icon:
            self.texts.append(data)


def english_in(text: str) -> list[str]:
    text = ADDRESS.sub("", text)
    for known in DATA:
        text = text.replace(known, "")
    return [word for word in WORD.findall(text) if word not in NAMES]


def english_on(answer: HttpResponse) -> list[str]:
    assert answer.status_code in (200, 302, 400, 403, 404, 409)
    seen = Reader(answer.content.decode()).texts
    return [text.strip() for text in seen if english_in(text)]


@pytest.fixture
def staff(admin_user: User) -> Client:
    # The form of a user shows the beginning of a hash and of its salt: letters by chance.
    admin_user.set_unusable_password()
    admin_user.save()
    client = Client(headers={"accept-language": "zh-CN,zh;q=0.9"})
    client.force_login(admin_user)
    return client


def addresses_of(model: type[Model]) -> Iterator[str]:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model._default_manager.first()
    assert row is not None, "a kind of row that the fixture does not make"
    yield reverse(f"{name}_changelist")
    yield reverse(f"{name}_changelist") + "?q=nothing-like-this"
    yield reverse(f"{name}_add")
    yield reverse(f"{name}_add") + "?_popup=1"
    for page in ("change", "history", "delete"):
        yield reverse(f"{name}_{page}", args=[row.pk])


@pytest.mark.parametrize("model", MODELS, ids=MODEL_IDS)
def test_it_shows_every_page_of_a_kind_of_row_in_chinese(
    staff: Client, rows: None, model: type[Model]
) -> None:
    found = {
        address: english_on(staff.get(address, follow=True)) for address in addresses_of(model)
    }

    assert {address: texts for address, texts in found.items() if texts} == {}


@pytest.mark.parametrize("query", ["", "?queue=all", "?q=nothing-like-this"])
def test_it_shows_the_queue_of_the_desk_in_chinese(staff: Client, rows: None, query: str) -> None:
    page = staff.get(reverse("desk:queue") + query)

    assert page.status_code == 200
    assert english_on(page) == []


def test_it_shows_a_ticket_and_its_refusals_in_chinese(staff: Client, rows: None) -> None:
    ticket = Ticket.objects.get()
    page = staff.get(reverse("desk:ticket", args=[ticket.pk]))

    assert page.status_code == 200
    assert english_on(page) == []
    for name in ACTIONS:
        answer = staff.post(reverse(f"desk:{name}", args=[ticket.pk]), {}, follow=True)
        assert answer.status_code in (200, 400, 409), name
        assert english_on(answer) == [], name


@pytest.mark.parametrize("model", MODELS, ids=MODEL_IDS)
def test_it_shows_mistakes_in_a_form_in_chinese(
    staff: Client, rows: None, model: type[Model]
) -> None:
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    row = model._default_manager.get_queryset().first()
    assert row is not None

    assert english_on(staff.post(reverse(f"{name}_add"), {})) == []
    assert english_on(staff.post(reverse(f"{name}_change", args=[row.pk]), {})) == []


@pytest.mark.parametrize("model", MODELS, ids=MODEL_IDS)
def test_it_asks_before_deleting_several_rows_in_chinese(
    staff: Client, rows: None, model: type[Model]
) -> None:
    page = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
    chosen = [str(row.pk) for row in model._default_manager.all()[:1]]

    answer = staff.post(
        page, {"action": "delete_selected", "_selected_action": chosen}, follow=True
    )

    assert english_on(answer) == []
    assert (
        english_on(staff.post(page, {"action": "", "_selected_action": chosen}, follow=True)) == []
    )


@pytest.mark.parametrize(
    "address", ["admin:index", "admin:password_change", "admin:password_change_done"]
)
def test_it_shows_a_page_of_the_admin_in_chinese(staff: Client, rows: None, address: str) -> None:
    assert english_on(staff.get(reverse(address))) == []


@pytest.mark.parametrize("app", sorted({model._meta.app_label for model in MODELS}))
def test_it_shows_what_belongs_together_in_chinese(staff: Client, rows: None, app: str) -> None:
    assert english_on(staff.get(reverse("admin:app_list", args=[app]))) == []


def test_it_explains_refused_passwords_in_chinese(staff: Client, admin_user: User) -> None:
    mine = {"old_password": "x", "new_password1": "12345678", "new_password2": "1"}
    other = reverse("admin:auth_user_password_change", args=[admin_user.pk])

    assert english_on(staff.post(reverse("admin:password_change"), mine)) == []
    assert english_on(staff.get(other)) == []
    assert english_on(staff.post(other, {"password1": "admin", "password2": "1"})) == []
    new_user = {"username": "a b!", "password1": "12345678", "password2": "12345678"}
    assert english_on(staff.post(reverse("admin:auth_user_add"), new_user)) == []


def test_it_shows_login_and_logout_in_chinese(staff: Client) -> None:
    stranger = Client(headers={"accept-language": "zh-CN,zh;q=0.9"})
    login = reverse("admin:login")

    assert english_on(stranger.get(login)) == []
    assert english_on(stranger.post(login, {})) == []
    assert english_on(stranger.post(login, {"username": "nobody", "password": "wrong"})) == []
    assert english_on(staff.post(reverse("admin:logout"))) == []


def test_it_shows_what_is_not_there_in_chinese(staff: Client) -> None:
    assert english_on(staff.get("/admin/nothing/")) == []
    assert english_on(staff.get("/nothing")) == []
    assert (
        english_on(staff.get(reverse("admin:auth_user_change", args=[987654]), follow=True)) == []
    )


def test_it_shows_import_and_its_mistakes_in_chinese(staff: Client, rows: None) -> None:
    page = reverse("admin:knowledge_faq_import")
    wrong = SimpleUploadedFile("faq.csv", "问题,答案\n怎么退货,\n,七天内\n".encode())
    binary = SimpleUploadedFile("faq.csv", b"\xff\xfe\x00\x01")

    assert english_on(staff.get(page)) == []
    assert english_on(staff.post(page, {})) == []
    assert english_on(staff.post(page, {"import_file": wrong, "format": "0"})) == []
    assert english_on(staff.post(page, {"import_file": binary, "format": "0"})) == []


@pytest.mark.parametrize("error", sorted(WORDS, key=lambda error: error.__name__))
def test_staff_read_in_chinese_why_a_reply_was_not_sent(
    staff: Client, rows: None, error: type[errors.WeChatError]
) -> None:
    Reply.objects.update(reason=str(error(45015, "")))
    reply = Reply.objects.get()

    page = staff.get(reverse("admin:conversations_reply_change", args=[reply.pk]))

    assert english_on(page) == []
    assert "45015" in page.content.decode()


def test_every_error_of_wechat_has_its_words() -> None:
    def all_below(error: type[errors.WeChatError]) -> set[type[errors.WeChatError]]:
        return {error, *(found for below in error.__subclasses__() for found in all_below(below))}

    ours = {error for error in all_below(errors.WeChatError) if error.__module__ == errors.__name__}
    assert ours - {errors.WeChatError} == set(WORDS)


def test_a_text_of_another_shape_is_shown_as_it_is() -> None:
    assert explained("") == ""
    assert explained("something else: 12") == "something else: 12"
    assert reason_words("the process that sent it died") == "发送时进程中断，不知是否送达"


@pytest.mark.parametrize("english", list(MODEL_WORDS))
def test_staff_read_in_chinese_why_a_model_did_not_answer(
    staff: Client, rows: None, english: str
) -> None:
    ModelCall.objects.update(error=english)
    call = ModelCall.objects.get()

    for page in ("changelist", "change"):
        address = reverse(f"admin:llm_modelcall_{page}", args=[call.pk] if page == "change" else [])
        assert english_on(staff.get(address)) == []


LLM = Path(__file__).resolve().parent.parent.parent / "llm"
FAILURES = {
    "TimedOut",
    "RateLimited",
    "Refused",
    "Failed",
    "Broken",
    "Nonsense",
    "Busy",
    "BreakerOpen",
}


def words_of_failures() -> Iterator[str]:
    """Each piece of text that the package raises as a failed call, without its placeholders."""
    calls = (
        node
        for file in LLM.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in FAILURES
    )
    for call in calls:
        constants = (node.value for node in ast.walk(call) if isinstance(node, ast.Constant))
        yield from (text for text in constants if isinstance(text, str))


def test_every_failure_of_a_model_has_its_words() -> None:
    texts = list(words_of_failures())

    assert texts
    assert {text for text in texts if english_in(model_error_words(text))} == set()
