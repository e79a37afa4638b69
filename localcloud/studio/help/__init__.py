"""Help of web services: swagger documents and the pages that HelpLocation leads to."""
