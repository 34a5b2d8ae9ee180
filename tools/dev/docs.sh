# shellcheck shell=bash source=tools/dev/common.sh disable=SC2154
#: docs                 draw the diagrams anew and check the documents' links
python3 tools/draw_diagram.py assets/*.txt
python3 tools/check_tidy.py
