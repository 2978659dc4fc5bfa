# mx_embed(target file symbol): make the text ${file} part of ${target} as
# "const char symbol[]" that ends in NUL, generated at build time. Users declare
# "extern const char symbol[];".
# Run as a script (cmake -P) this same file does the writing.
if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
    file(READ ${MX_EMBED_INPUT} bytes HEX)
    string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
    string(REGEX REPLACE "(................................................................................)"
           "\\1\n    " bytes "${bytes}")
    file(WRITE ${MX_EMBED_OUTPUT}
        "extern const char ${MX_EMBED_SYMBOL}[];\n"
        "const char ${MX_EMBED_SYMBOL}[] = {\n    ${bytes}0x00,\n};\n")
    return()
endif()

set(MX_EMBED_SCRIPT ${CMAKE_CURRENT_LIST_FILE})

function(mx_embed target file symbol)
    cmake_path(ABSOLUTE_PATH file BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR})
    set(out ${CMAKE_CURRENT_BINARY_DIR}/embed_${symbol}.c)
    add_custom_command(OUTPUT ${out}
        COMMAND ${CMAKE_COMMAND} -DMX_EMBED_INPUT=${file} -DMX_EMBED_OUTPUT=${out}
                -DMX_EMBED_SYMBOL=${symbol} -P ${MX_EMBED_SCRIPT}
        DEPENDS ${file} ${MX_EMBED_SCRIPT}
        VERBATIM)
    target_sources(${target} PRIVATE ${out})
endfunction()
