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
from wechatbot import power

admin.site.index_title = _("今日概况")

admin.site.unregister(User)
admin.site.unregister(Group)

ACTIONS = {
    "add": _("添加"),
    "change": _("修改"),
    "delete": _("删除"),
    "view": _("查看"),
    "use": _("使用"),
}


def in_words(permission: Permission) -> str:
    """Django keeps a permission's name in the database, half of it in English, whoever reads it."""
    action = permission.codename.partition("_")[0]
    return f"{permission.content_type} | {ACTIONS.get(action, permission.name)}"


class WithPermissions(AdminPage):
    """Offers what the editor may hand on; a posted value beyond it is no valid choice."""

    def formfield_for_manytomany(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is None:
            return None
        if db_field.related_model is Permission:
            field.queryset = power.permissions_to_give(request.user).select_related("content_type")
            field.label_from_instance = in_words
        if db_field.related_model is Group:
            field.queryset = power.groups_to_give(request.user)
        return field


@admin.register(User)
class UserAdmin(DjangoUserAdmin, WithPermissions):
    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> Any:
        fields = super().get_readonly_fields(request, obj)
        return fields if request.user.is_superuser else (*fields, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Also asked before a password is set."""
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or power.may_change_user(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or power.may_change_user(request.user, obj))


@admin.register(Group)
class GroupAdmin(DjangoGroupAdmin, WithPermissions):
    empty_text = _("一组人共用一套权限时，建一个用户组，再把用户加进来。")

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        allowed = super().has_change_permission(request, obj)
        return allowed and (obj is None or power.may_change_group(request.user, obj))

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or power.may_change_group(request.user, obj))
