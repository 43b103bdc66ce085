"""Pages to share: one HTML file each, which loads nothing from the network.

A page is a body, data and scripts, put into page.html with what all pages have: page.css, page.js and plotly.js. That
is plotly's own "basic" build, kept in vendor/: the one that its Python package brings is four times as large (4.8 MB),
for charts that no page here has.
"""
