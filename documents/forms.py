"""What people fill in to find fetches."""

from django import forms


class ReadsFilter(forms.Form):
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62)
