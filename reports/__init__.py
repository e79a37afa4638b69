"""One page of HTML about a stack: what serves, how it was judged, how models went over versions. It needs no network.

facts.Report    what there is to tell, as plain values
plots           the pictures, as SVG
page.render     the page
"""
