"""The XenAPI as data: classes, fields, messages, enums, errors. Imports nothing of ours."""
