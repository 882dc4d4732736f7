{#- search_index.json as a script, made by the same indexer: the theme loads it when the site is read from a folder, where
    browsers refuse to load JSON. The plugin fills its index after this file is written, so the index is emptied again. -#}
{%- set index = config.plugins["material/search"].search_index -%}
{%- for file in pages -%}{%- set _ = index.add_entry_from_context(file.page) -%}{%- endfor -%}
var __index = {{ index.generate_search_index(none) }}
{%- set _ = index.entries.clear() %}
