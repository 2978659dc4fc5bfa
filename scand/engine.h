/* The engine parent: loads signatures and rules once, forks workers that share them. */
#ifndef ENGINE_H
#define ENGINE_H

#define ENGINE_ARG "--engine" /* the first argument that makes this program one */

/**
 * engine_main(argc, argv):
 * argv: PROGRAM --engine CONFIG NODE TEMP-DIR; CONFIG may be "" (defaults). Speaks
 * engine_link on descriptor ENGINE_FD.
 * Returns the exit code of the process.
 */
int engine_main(int argc, char **argv);

#endif
