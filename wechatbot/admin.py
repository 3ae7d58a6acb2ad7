"""Users and groups in the admin's own look."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group, Permission, User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm

from common.admin_pages import AdminPage

admin.site.index_title = _("今日概况")

admin.site.unregister(User)
admin.site.unregister(Group)

ACTIONS = {"add": _("添加"), "change": _("修改"), "delete": _("删除"), "view": _("查看"), "use": _("使用")}


def in_words(permission: Permission) -> str:
    """Django keeps a permission's name in the database, half of it in English, whoever reads it."""
    action = permission.codename.partition("_")[0]
    return f"{permission.content_type} | {ACTIONS.get(action, permission.name)}"


class WithPermissions(AdminPage):
    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.related_model is Permission:
            field.label_from_instance = in_words
        return field


@admin.register(User)
class UserAdmin(DjangoUserAdmin, WithPermissions):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, WithPermissions):
    empty_text = _("一组人共用一套权限时，建一个用户组，再把用户加进来。")
