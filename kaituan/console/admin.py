"""The admin at /admin/: every table of the books to look at, none to write. Changes go through services."""

from collections.abc import Callable, Sequence
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.models import CharField, CompositePrimaryKey, Field, ForeignKey, JSONField, Model, TextField
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.templatetags.static import static
from django.utils.csp import CSP
from django.utils.translation import gettext_lazy as _
from django.views.decorators.csp import csp_override
from unfold.admin import ModelAdmin  # type: ignore[import-untyped]
from unfold.sites import UnfoldAdminSite  # type: ignore[import-untyped]

from kaituan.console.doors import office

# Alpine, which draws the admin, builds its expressions at run time; the rest is as strict as everywhere.
STRICT: dict[str, Any] = settings.SECURE_CSP
ADMIN_CSP = {**STRICT, "script-src": [*STRICT["script-src"], CSP.UNSAFE_EVAL]}
SHOWN_APPS = "kaituan."
JOBS_APP = "procrastinate"
PERSONAL = frozenset(
    {"phone", "email", "room", "note", "remark", "words", "answer", "contact_name"}
    | {"holder_name", "account_number", "bank_name"}
)
"""Never here: who needs it opens the person's own page, and the look is logged."""
SECRET = frozenset({"password", "session_version", "text", "decisions", "entry_key", "code"})
COLUMNS = 9
LONG = (JSONField, TextField)


def hidden(model: type[Model], field: "Field[Any, Any]") -> bool:
    """Whether the admin keeps a column to itself: personal data, secrets, chat text."""
    if field.name == "code":
        # A pickup code opens a bag; the codes of categories and offers are no secret.
        return model._meta.model_name == "pickupcode"
    return field.name in PERSONAL or field.name in SECRET


class ReadOnlyModelAdmin(ModelAdmin):  # type: ignore[misc]
    """Shows a table by its own columns. No row is added, changed or deleted here, whatever the visitor's role."""

    list_per_page = 50
    show_full_result_count = False
    ordering = ("-pk",)
    list_disable_select_all = True

    def __init__(self, model: type[Model], admin_site: UnfoldAdminSite) -> None:
        shown = [field for field in model._meta.fields if not hidden(model, field)]
        names = {field.name for field in shown}
        self.fields = [field.name for field in shown]
        self.readonly_fields = self.fields
        self.list_display = [field.name for field in shown if not isinstance(field, LONG)][:COLUMNS]
        self.list_display_links = self.list_display[:1]
        self.list_select_related = [
            field.name for field in shown if isinstance(field, ForeignKey) and field.name in self.list_display
        ]
        self.list_filter = [field.name for field in shown if isinstance(field, CharField) and field.choices]
        self.search_fields = [
            name for name in ("public_id", "number", "sku", "name", "title", "version") if name in names
        ]
        super().__init__(model, admin_site)

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest) -> bool:
        """Not by a hidden column: which rows begin with what would tell it letter by letter."""
        allowed: bool = super().lookup_allowed(lookup, value, request)
        return allowed and lookup.split("__")[0] in {"pk", *self.fields}

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return True

    def has_module_permission(self, request: HttpRequest) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, *arguments: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        return {}


class BooksSite(UnfoldAdminSite):  # type: ignore[misc]
    """The admin behind the console's own door, with a policy that lets its Alpine run and nothing else."""

    site_title = site_header = index_title = _("The books")
    site_url = "/console/"
    enable_nav_sidebar = True

    def admin_view(self, view: Callable[..., Any], cacheable: bool = False) -> Callable[..., Any]:
        guarded = office(super().admin_view(view, cacheable))
        return csp_override(ADMIN_CSP)(guarded)

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
        """There is one door: the staff's."""
        return redirect("admin:index")

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        raise Http404

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        context = super().each_context(request)
        # The colours stand in a file: a style block in the page would need a hole in the policy.
        context["colors"] = {}
        context["site_header"] = context["site_title"] = self.site_header
        context["styles"] = [*context.get("styles", []), static("console/admin.css")]
        return context


def shown_models() -> Sequence[type[Model]]:
    """Every table of this program and of its job queue. The admin has no pages for a key of two columns: such a
    table (ordering's counters per person and offer) is left out."""
    return [
        model
        for model in apps.get_models()
        if not isinstance(model._meta.pk, CompositePrimaryKey)
        and model._meta.app_config is not None
        and (model._meta.app_config.name.startswith(SHOWN_APPS) or model._meta.app_label == JOBS_APP)
    ]


site = BooksSite(name="admin")
for _model in shown_models():
    site.register(_model, ReadOnlyModelAdmin)
