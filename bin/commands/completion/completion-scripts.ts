// Completion for bash, zsh and fish, generated from the table of commands. Shells never evaluate data of the admin API:
// names are read line by line (shell injection by an endpoint's name). Pure. Thread: main.

import type { CompletedCommand, CompletedValues } from './completion-table.ts';

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

/** Names that the scripts look up in the running Fairlead. */
export const LOOKUPS = ['endpoints', 'upstreams'] as const;
export type Lookup = (typeof LOOKUPS)[number];

type Table = readonly CompletedCommand[];

export function completionScript(shell: Shell, table: Table): string {
  return shell === 'bash' ? bashScript(table) : shell === 'zsh' ? zshScript(table) : fishScript(table);
}

/** Words for a shell: fixed ones, or a mark for words that are looked up during completion. */
function wordsOf(values: CompletedValues): string {
  if (values.kind === 'words') return values.words.join(' ');
  return values.kind === 'anything' ? '' : `@${values.kind}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** One row of a `case`; '' where nothing fits it. */
function row(patterns: readonly string[], reply: string): string {
  return patterns.length === 0 || reply === ''
    ? ''
    : `    ${patterns.map(quoted).join('|')}) REPLY=${quoted(reply)} ;;\n`;
}

/** A function that looks up its arguments, the same for bash and zsh. */
function lookup(name: string, rows: readonly string[]): string {
  return `${name}() {\n  REPLY=\n  case "$1 $2" in\n${rows.join('')}  esac\n}\n`;
}

/** Tables shared by both shells. A command's words are joined by blanks; `fairlead` itself is ''. */
function lookups(table: Table): string {
  const commands = table.flatMap(({ path, commands: below }) => below.map(([name]) => `${path} ${name}`));
  const taking = table.flatMap(({ path, options }) =>
    options.flatMap(({ names, values }) =>
      values === null ? [] : names.map((name) => ({ key: `${path} ${name}`, values })),
    ),
  );
  return [
    '# Whether a word behind a command is a command, or an option that takes a value.',
    lookup('_fairlead_word', [
      row(commands, 'command'),
      row(
        taking.map(({ key }) => key),
        'value',
      ),
    ]),
    '# What the value of an option may be; @ stands for what is found out.',
    lookup(
      '_fairlead_value',
      taking.map(({ key, values }) => row([key], wordsOf(values))),
    ),
    '# The options of a command.',
    lookup(
      '_fairlead_options',
      table.map(({ path, options }) => row([`${path} `], options.map(({ names }) => names.at(-1)).join(' '))),
    ),
    '# What may stand behind a command as its first word, its second, and so on.',
    lookup('_fairlead_argument', table.flatMap(argumentRows)),
  ].join('\n');
}

function argumentRows({ path, commands, values }: CompletedCommand): string[] {
  if (commands.length > 0) return [row([`${path} 0`], commands.map(([name]) => name).join(' '))];
  return values.map((one, index) => row([`${path} ${index}`], wordsOf(one)));
}

/** Scans the words before the current one for the command, a pending option value, and the admin address. */
const WALK = `  for word in "\${before[@]}"; do
    if [[ -n $option ]]; then
      case "$option" in --admin|--token|--ca|--cert|--key) asked+=("$option" "$word") ;; esac
      option=
      continue
    fi
    _fairlead_word "$command" "$word"
    case "$REPLY" in
      command) command="\${command:+$command }$word" ;;
      value) option=$word ;;
      *) [[ $word == -* ]] || count=$((count + 1)) ;;
    esac
  done
  if [[ -n $option ]]; then _fairlead_value "$command" "$option"
  elif [[ $current == -* ]]; then _fairlead_options "$command" ''
  else _fairlead_argument "$command" "$count"
  fi
`;

function bashScript(table: Table): string {
  return `# Completion of fairlead for bash. In ~/.bashrc: source <(fairlead completion bash)
${lookups(table)}
_fairlead() {
  local line=\${COMP_LINE:0:COMP_POINT} word current command= option= count=0 REPLY
  local -a words=() before=() asked=()
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=('')
  current=\${words[\${#words[@]}-1]}
  before=("\${words[@]:1:\${#words[@]}-2}")
  COMPREPLY=()
${WALK}  case "$REPLY" in
    @file) compopt -o filenames 2>/dev/null
      while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen -f -- "$current") ;;
    @endpoint|@upstream) while IFS= read -r word; do
        [[ $word == "$current"* ]] && COMPREPLY+=("$word")
      done < <("\${words[0]}" __complete "\${REPLY#@}s" "\${asked[@]}" 2>/dev/null) ;;
    *) for word in $REPLY; do [[ $word == "$current"* ]] && COMPREPLY+=("$word"); done ;;
  esac
  # bash takes a colon for the end of a word: what stands before it is there already.
  if [[ $current == *:* && $COMP_WORDBREAKS == *:* ]]; then
    for count in "\${!COMPREPLY[@]}"; do COMPREPLY[count]=\${COMPREPLY[count]#"\${current%"\${current##*:}"}"}; done
  fi
}
complete -F _fairlead fairlead
`;
}

function zshScript(table: Table): string {
  return `#compdef fairlead
# Completion of fairlead for zsh. In ~/.zshrc, behind compinit: source <(fairlead completion zsh)
${lookups(table)}
_fairlead() {
  local word current=\${words[CURRENT]} command= option= count=0 REPLY
  local -a before asked found
  before=("\${(@)words[2,CURRENT-1]}")
${WALK}  case "$REPLY" in
    @file) _files ;;
    @endpoint|@upstream) found=("\${(@f)$("\${words[1]}" __complete "\${REPLY#@}s" "\${asked[@]}" 2>/dev/null)}")
      compadd -- "\${found[@]}" ;;
    *) compadd -- \${=REPLY} ;;
  esac
}
compdef _fairlead fairlead
`;
}

function fishScript(table: Table): string {
  const lines = table.flatMap((command) => {
    const words = command.path.split(' ').filter((word) => word !== '');
    const within = words.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
    const names = command.commands.map(([name]) => name).join(' ');
    const here =
      words.length === 0
        ? '__fish_use_subcommand'
        : names === ''
          ? within
          : `${within}; and not __fish_seen_subcommand_from ${names}`;
    const condition = `complete -c fairlead -n ${fishQuoted(here)}`;
    return [
      ...command.commands.map(([name, means]) => `${condition} -f -a ${name} -d ${fishQuoted(means)}`),
      ...command.values.map((values) => `${condition}${fishValues(values)}`),
      ...command.options.map(({ names: flags, means, values }) => {
        const spelt = flags.map((flag) => (flag.startsWith('--') ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`));
        return `${condition} ${spelt.join(' ')}${values === null ? '' : fishValues(values, true)} -d ${fishQuoted(means)}`;
      }),
    ];
  });
  return `# Completion of fairlead for fish: fairlead completion fish > ~/.config/fish/completions/fairlead.fish
function __fairlead_names
  set -l words (commandline -opc)
  set -l asked
  for index in (seq (count $words))
    if contains -- $words[$index] --admin --token --ca --cert --key
      set -l next (math $index + 1)
      test $next -le (count $words); and set -a asked $words[$index] $words[$next]
    end
  end
  $words[1] __complete $argv $asked 2>/dev/null
end
${lines.join('\n')}
`;
}

function fishValues(values: CompletedValues, isOfOption = false): string {
  if (values.kind === 'file') return isOfOption ? ' -r -F' : ' -F';
  const isLookup = values.kind === 'endpoint' || values.kind === 'upstream';
  const words = values.kind === 'words' ? values.words.join(' ') : isLookup ? `(__fairlead_names ${values.kind}s)` : '';
  return `${isOfOption ? ' -x' : ' -f'}${words === '' ? '' : ` -a ${fishQuoted(words)}`}`;
}

function fishQuoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
