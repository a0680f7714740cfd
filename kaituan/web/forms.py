"""How forms are drawn, and the fields that people type money into."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.renderers import DjangoTemplates
from django.utils.translation import gettext_lazy as _

from kaituan.money.fen import MoneyError, format_yuan, parse_yuan


class KaituanRenderer(DjangoTemplates):
    """FORM_RENDERER: {{ form }} and {{ field.as_field_group }} with the error beside the field."""

    form_template_name = "web/forms/form.html"
    field_template_name = "web/forms/field.html"


class YuanInput(forms.TextInput):
    """A text field with ¥ before it and the decimal keyboard."""

    template_name = "web/forms/yuan.html"

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"inputmode": "decimal", "autocomplete": "off", **(attrs or {})})


class YuanField(forms.Field):
    """People type yuan (`12.5`, `¥12.50`), the program gets int fen; `initial` is fen too."""

    widget = YuanInput
    default_error_messages = {
        "invalid": _("Write the amount in yuan with at most two decimals, such as 12.50."),
        "too_small": _("At least %(limit)s yuan."),
        "too_large": _("At most %(limit)s yuan."),
    }

    def __init__(self, *, min_fen: int | None = 0, max_fen: int | None = None, **kwargs: Any) -> None:
        self.min_fen, self.max_fen = min_fen, max_fen
        super().__init__(**kwargs)

    def to_python(self, value: str | int | None) -> int | None:
        if value in self.empty_values:
            return None
        try:
            return value if isinstance(value, int) else parse_yuan(str(value))
        except MoneyError as error:
            raise ValidationError(self.error_messages["invalid"], code="invalid") from error

    def validate(self, value: int | None) -> None:
        super().validate(value)
        if value is None:
            return
        for limit, passed, code in (
            (self.min_fen, self.min_fen is not None and value < self.min_fen, "too_small"),
            (self.max_fen, self.max_fen is not None and value > self.max_fen, "too_large"),
        ):
            if passed:
                raise ValidationError(
                    self.error_messages[code], code=code, params={"limit": format_yuan(limit or 0)}
                )

    def prepare_value(self, value: Any) -> Any:
        return format_yuan(value) if isinstance(value, int) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return initial != self.to_python(data)
        except ValidationError:
            return True
