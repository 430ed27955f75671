"""One module per kind of workflow job: what the scripts of workflow/scripts call."""
