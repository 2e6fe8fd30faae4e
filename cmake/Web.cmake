# The dashboard: web/ is built by Vite and packed into one file, which is embedded.
#
# sd_web(OUT): the pack in the build's generated/, made anew when a file of web/ changes. ./dev installs what it needs.
find_program(NODE node REQUIRED)

function(sd_web out)
  set(web ${PROJECT_SOURCE_DIR}/web)
  set(dist ${PROJECT_BINARY_DIR}/generated/web)
  set(pack ${PROJECT_BINARY_DIR}/generated/web.pack)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${web}/src/*)
  list(FILTER sources EXCLUDE REGEX "schema\\.d\\.ts$")
  add_custom_command(
    OUTPUT ${pack}
    COMMAND ${NODE} node_modules/vite/bin/vite.js build --outDir ${dist} --emptyOutDir --logLevel warn
    COMMAND ${NODE} pack.mjs ${dist} ${pack}
    WORKING_DIRECTORY ${web}
    DEPENDS ${sources} ${web}/index.html ${web}/vite.config.ts ${web}/licences.ts ${web}/svelte.config.js ${web}/pack.mjs ${web}/package-lock.json
    COMMENT "Building the dashboard"
    VERBATIM)
  set(${out} ${pack} PARENT_SCOPE)
endfunction()
