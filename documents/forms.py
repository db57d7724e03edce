"""What people fill in to find companies and fetches."""

from django import forms


class CompanyFilter(forms.Form):
    q = forms.CharField(required=False, max_length=80)
    after = forms.CharField(required=False, max_length=10)


class ReadsFilter(forms.Form):
    document = forms.UUIDField(required=False)
    before = forms.IntegerField(required=False, min_value=1, max_value=2**62)
