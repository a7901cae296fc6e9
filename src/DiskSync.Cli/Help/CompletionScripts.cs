namespace DiskSync.Cli.Help;

/// <summary>The completion scripts; each asks <c>disksync "[suggest:N]" LINE</c> and adds file names.</summary>
internal static class CompletionScripts
{
    /// <summary>The script of a shell: "bash", "zsh" or "fish".</summary>
    public static string For(string shell) => shell switch
    {
        "bash" => Bash,
        "zsh" => Zsh,
        _ => Fish,
    };

    private const string Bash =
        """
        # bash completion for disksync; in ~/.bashrc: eval "$(disksync completion bash)"
        _disksync() {
            local word="${COMP_WORDS[COMP_CWORD]}" IFS=$'\n'
            local line="${COMP_LINE:0:COMP_POINT}"
            COMPREPLY=()
            if [[ $COMP_CWORD -eq 1 || $word == -* ]]; then
                COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${#line}]" "$line" 2>/dev/null)" -- "$word"))
            else
                COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${#line}]" "$line" 2>/dev/null | grep -v '^-')" -- "$word"))
                if [[ ${#COMPREPLY[@]} -eq 0 ]]; then
                    compopt -o filenames
                    COMPREPLY=($(compgen -f -- "$word"))
                fi
            fi
        }
        complete -F _disksync disksync

        """;

    private const string Zsh =
        """
        #compdef disksync
        # zsh completion for disksync; put it as _disksync into a folder of $fpath
        _disksync() {
            local word="${words[CURRENT]}" line="${BUFFER[1,CURSOR]}"
            local -a found
            found=("${(@f)$("${words[1]}" "[suggest:${#line}]" "$line" 2>/dev/null)}")
            found=("${(@)found:#}")
            if (( CURRENT > 2 )) && [[ $word != -* ]]; then
                found=("${(@)found:#-*}")
                (( ${#found} )) && compadd -a found || _files
            else
                compadd -a found
            fi
        }
        if [ "$funcstack[1]" = "_disksync" ]; then
            _disksync "$@"
        else
            compdef _disksync disksync
        fi

        """;

    private const string Fish =
        """
        # fish completion for disksync; put it into ~/.config/fish/completions/disksync.fish
        function __disksync_suggest
            set -l line (commandline --cut-at-cursor)
            set -l word (commandline --current-token)
            set -l found (disksync "[suggest:"(string length -- "$line")"]" "$line" 2>/dev/null)
            if string match -q -- '-*' "$word"
                string match -- '-*' $found
            else
                string match -v -- '-*' $found
                test (count (commandline --tokenize --cut-at-cursor)) -gt 1; and __fish_complete_path "$word"
            end
        end
        complete -c disksync -f -a '(__disksync_suggest)'

        """;
}
