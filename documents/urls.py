"""The companies of an office, and who reads their documents."""

from django.urls import path

from documents import views

app_name = "documents"
urlpatterns = [
    path("offices/<slug:slug>/consents/<uuid:uuid>/companies", views.use, name="use"),
    path("offices/<slug:slug>/companies/<str:number>", views.company, name="company"),
    path("offices/<slug:slug>/companies/<str:number>/reads.csv", views.reads, name="reads"),
]
