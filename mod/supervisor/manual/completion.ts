/**
 * Completion for bash, zsh and fish: a script with the whole table of
 * commands in it, so that a key press starts no program. Pure.
 */
import { allCommands, type CommandFacts } from "./command_facts.ts";

/** Shells with a script. */
export const SHELLS = ["bash", "zsh", "fish"] as const;
/** See {@link SHELLS}. */
export type Shell = typeof SHELLS[number];

/** The script of a shell. */
export function completionScript(shell: Shell, program: CommandFacts): string {
  const all = allCommands(program);
  switch (shell) {
    case "bash":
      return bash(all);
    case "zsh":
      return zsh(all);
    case "fish":
      return fish(all);
  }
}

/** Below the program's name; empty for the program itself. */
function placeOf({ words }: CommandFacts): string {
  return words.slice(1).join(" ");
}

/** How a value is completed, in the words of the shell's script. */
type Help = "files" | "directories" | "nothing" | { of: readonly string[] };

function helpFor(
  one: CommandFacts["options"][number] | CommandFacts["arguments"][number],
): Help {
  if (one.choices.length > 0) return { of: one.choices };
  switch (one.kind) {
    case "file":
      return "files";
    case "directory":
      return "directories";
    case "other":
      return "nothing";
  }
}

function namesOf({ short, long }: CommandFacts["options"][number]): string[] {
  return [short, long].filter((name) => name !== "");
}

/** Single quotes, in which a shell obeys nothing. */
function sh(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** Cases of a `case`, common to bash and zsh. */
function cases(rows: readonly (readonly [string, string])[], indent: string) {
  return rows.map(([pattern, act]) => `${indent}(${pattern}) ${act} ;;\n`)
    .join("");
}

/** Where one is: the longest begin of the words that is a command. */
function walk(all: readonly CommandFacts[], words: string, from: number) {
  const known = all.filter(({ words }) => words.length > 1)
    .map((one) => [sh(placeOf(one)), 'at="${at:+$at }$word"'] as const);
  const valued = all.flatMap((one) =>
    one.options.filter(({ value }) => value.startsWith("<")).flatMap((option) =>
      namesOf(option).map((name) => sh(`${placeOf(one)}:${name}`))
    )
  );
  return `  for ((i = ${from}; i < last; i++)); do
    word=\${${words}[i]}
    if ((skip)); then skip=0; continue; fi
    case "$at:$word" in
      (${[...new Set(valued)].join("|")}) skip=1; continue ;;
    esac
    case "\${at:+$at }$word" in
${cases(known, "      ")}    esac
  done
`;
}

/** What is offered behind each option that takes a value. */
function valueCases(
  all: readonly CommandFacts[],
  act: (help: Help) => string,
) {
  return all.flatMap((one) =>
    one.options.filter(({ value }) => value !== "").map((option) =>
      [
        namesOf(option).map((name) => sh(`${placeOf(one)}:${name}`)).join("|"),
        `${act(helpFor(option))}; return`,
      ] as const
    )
  );
}

function bash(all: readonly CommandFacts[]): string {
  const act = (help: Help): string => {
    switch (help) {
      case "files":
        return 'COMPREPLY=($(compgen -f -- "$cur"))';
      case "directories":
        return 'COMPREPLY=($(compgen -d -- "$cur"))';
      case "nothing":
        return "COMPREPLY=()";
    }
    return `COMPREPLY=($(compgen -W $'${help.of.join("\\n")}' -- "$cur"))`;
  };
  const values = valueCases(all, act);
  const options = all.map((one) =>
    [
      sh(placeOf(one)),
      `words=${sh(one.options.flatMap(namesOf).concat("--help").join(" "))}`,
    ] as const
  );
  const commands = all.map((one) => {
    const below = one.commands.map(({ words }) => words.at(-1)).join(" ");
    const [argument] = one.arguments;
    const help = argument === undefined ? "nothing" : helpFor(argument);
    return [
      sh(placeOf(one)),
      below === ""
        ? `${act(help)}; return`
        : `${act(help)}; words=${sh(below)}`,
    ] as const;
  });
  return `# bash completion for bulkhead; made by: bulkhead completion bash
_bulkhead() {
  local IFS=$' \\t\\n' cur=\${COMP_WORDS[COMP_CWORD]} at= word words= i
  local skip=0 last=$COMP_CWORD
  COMPREPLY=()
${walk(all, "COMP_WORDS", 1)}  IFS=$'\\n'
  case "$at:\${COMP_WORDS[COMP_CWORD-1]}" in
${cases(values, "    ")}  esac
  IFS=$' \\t\\n'
  case $cur in
    (-*) case "$at" in
${cases(options, "      ")}    esac ;;
    (*) IFS=$'\\n'; case "$at" in
${cases(commands, "      ")}    esac; IFS=$' \\t\\n' ;;
  esac
  COMPREPLY+=($(compgen -W "$words" -- "$cur"))
}
complete -o filenames -F _bulkhead bulkhead
`;
}

function zsh(all: readonly CommandFacts[]): string {
  const act = (help: Help): string => {
    switch (help) {
      case "files":
        return "_files";
      case "directories":
        return "_files -/";
      case "nothing":
        return "true";
    }
    return `compadd -- ${help.of.map(sh).join(" ")}`;
  };
  const described = (rows: readonly (readonly [string, string])[]) =>
    rows.map(([name, says]) =>
      sh(`${name.replaceAll(":", "\\:")}:${says.replaceAll("\n", " ")}`)
    ).join(" ");
  const values = valueCases(all, act);
  const options = all.map((one) =>
    [
      sh(placeOf(one)),
      `found=(${
        described([
          ...one.options.flatMap((option) =>
            namesOf(option).map((name) => [name, option.says] as const)
          ),
          ["--help", "explain the command"],
        ])
      })`,
    ] as const
  );
  const commands = all.map((one) => {
    const below = one.commands.map(({ words, says }) =>
      [words.at(-1)!, says] as const
    );
    const [argument] = one.arguments;
    const help = act(argument === undefined ? "nothing" : helpFor(argument));
    return [
      sh(placeOf(one)),
      below.length === 0
        ? `${help}; return`
        : `${argument === undefined ? "" : `${help}; `}found=(${
          described(below)
        })`,
    ] as const;
  });
  return `#compdef bulkhead
# zsh completion for bulkhead; made by: bulkhead completion zsh
_bulkhead() {
  local at= word
  integer i skip=0 last=$CURRENT
  local -a found
${walk(all, "words", 2)}  case "$at:\${words[CURRENT-1]}" in
${cases(values, "    ")}  esac
  if [[ $words[CURRENT] == -* ]]; then
    case "$at" in
${cases(options, "      ")}    esac
  else
    case "$at" in
${cases(commands, "      ")}    esac
  fi
  _describe bulkhead found
}
if [[ $funcstack[1] == _bulkhead ]]; then
  _bulkhead "$@"
else
  compdef _bulkhead bulkhead
fi
`;
}

function fish(all: readonly CommandFacts[]): string {
  const known = all.filter(({ words }) => words.length > 1).map(placeOf);
  const rows = all.flatMap((one) => {
    const at = sh(placeOf(one));
    const when = `-n ${sh(`__bulkhead_is ${at}`)}`;
    const [first] = one.arguments;
    const wantsFiles = first !== undefined && first.kind !== "other";
    const choices = first?.choices ?? [];
    return [
      ...one.commands.map(({ words, says }) =>
        `complete -c bulkhead ${when} -a ${sh(words.at(-1)!)} -d ${sh(says)}`
      ),
      ...one.options.map((option) => {
        const help = helpFor(option);
        const value = option.value === ""
          ? ""
          : help === "files" || help === "directories"
          ? " -r -F"
          : typeof help === "string"
          ? " -x"
          : ` -x -a ${sh(help.of.join(" "))}`;
        const short = option.short === "" ? "" : ` -s ${option.short.slice(1)}`;
        return `complete -c bulkhead ${when}${short} -l ` +
          `${option.long.slice(2)}${value} -d ${sh(option.says)}`;
      }),
      ...wantsFiles ? [`complete -c bulkhead ${when} -F`] : [],
      ...choices.length > 0
        ? [`complete -c bulkhead ${when} -a ${sh(choices.join(" "))}`]
        : [],
    ];
  });
  return `# fish completion for bulkhead; made by: bulkhead completion fish
function __bulkhead_is
  set -l at ""
  for word in (commandline -opc)[2..-1]
    set -l next (string trim -- "$at $word")
    if contains -- "$next" ${known.map(sh).join(" ")}
      set at $next
    end
  end
  test "$at" = "$argv[1]"
end
complete -c bulkhead -f
complete -c bulkhead -l help -d 'explain the command'
${rows.join("\n")}
`;
}
