"""FAQs as files: import and export. The doors are `faqs.import_rows` and `faqs.export_text`."""
