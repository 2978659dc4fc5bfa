# Warnings for our own code; MX_WERROR makes them errors.
add_library(mx_warnings INTERFACE)
target_compile_options(mx_warnings INTERFACE
    -Wall -Wextra -Wshadow -Wmissing-prototypes -Wformat=2 -Wvla -Wundef
    -Wstrict-prototypes -Wpointer-arith -Wwrite-strings
    # clang takes the casts inside protobuf-c's __INIT macros for ours.
    $<$<C_COMPILER_ID:GNU>:-Wcast-qual>
    $<$<BOOL:${MX_WERROR}>:-Werror>)
target_compile_definitions(mx_warnings INTERFACE _GNU_SOURCE)
# Hardening: as Debian builds its packages. Assertions stay on in every build.
target_compile_options(mx_warnings INTERFACE
    -fstack-protector-strong -fno-strict-aliasing -fPIE
    $<$<CONFIG:Release>:-O2 -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2>)
target_link_options(mx_warnings INTERFACE -pie -Wl,-z,relro,-z,now)
string(REPLACE "-DNDEBUG" "" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
string(REPLACE "-O3" "-O2 -g1" CMAKE_C_FLAGS_RELEASE "${CMAKE_C_FLAGS_RELEASE}")
