{#- What the theme's script loads from a folder, where a browser reads no JSON: search_index.json by the same indexer.
    The plugin fills its index while the pages are written, which is after this file; so it is emptied again. -#}
{%- set index = config.plugins["material/search"].search_index -%}
{%- for file in pages -%}{%- set _ = index.add_entry_from_context(file.page) -%}{%- endfor -%}
var __index = {{ index.generate_search_index(none) }}
{%- set _ = index.entries.clear() %}
