using System.Globalization;
using System.Text.Json;
using Cove.Agent.Loop;
using Cove.Agent.Secrets;
using Cove.Agent.Tools;
using Cove.Agent.Tools.Sandbox;
using Cove.Agent.Transcripts;
using Cove.Cli.Running;
using Microsoft.Extensions.AI;

namespace Cove.Cli.Agents;

/// <summary>One question, from its files to its answer, in a sandbox of its own.</summary>
internal sealed class AgentSession(AgentRequest request, TimeProvider time) : IAsyncDisposable
{
    private readonly Inputs _inputs = new();
    private readonly List<(byte[] Content, string Extension)> _figures = [];
    private OutDirectory? _directory;
    private TranscriptWriter? _transcript;
    private NamedTools? _tools;
    private AgentScreen? _shown;
    private Approvals? _approvals;
    private ModelChoice? _model;
    private IReadOnlyList<ChatMessage> _earlier = [];
    private string _question = "";

    public Screen Screen { get; init; } = new();

    /// <summary>Whether a person reads standard output.</summary>
    public bool Live { get; init; }

    public TextReader Answers { get; init; } = TextReader.Null;

    /// <summary>Opens everything that was named, so that mistakes show before anything is started.</summary>
    public async Task PrepareAsync(CancellationToken cancellationToken = default)
    {
        _model = request.ChooseModel();
        _inputs.Open(request.Files);
        _directory = request.OutDirectory is null ? null : new OutDirectory(request.OutDirectory);
        var secrets = SecretStore.Standard(request.SecretsFile);
        _question = request.ReadQuestion();
        if (string.IsNullOrWhiteSpace(_question))
        {
            throw Errors.Usage("no_question", "There is no question.", "Give one: cove agent \"What is the mean of …?\"; - reads it from standard input.");
        }

        _earlier = request.Resume is { } resumed ? await EarlierAsync(resumed, cancellationToken) : [];
        _tools = await NamedTools.OpenAsync(request.ToolFiles, request.ServerFiles, secrets, time, cancellationToken);
        _transcript = request.Transcript is null ? null : MakeTranscript(request.Transcript, _model.Redactor, secrets.Redactor);
        _shown = new AgentScreen(Screen, Live, whole: request.Ask, silent: request.Json);
        _approvals = request.Ask ? new Approvals(_shown, Answers) : null;
    }

    /// <summary>Answers in a sandbox that was made for it, which goes with it.</summary>
    public async Task<int> RunAsync(ICove cove, SandboxInfo sandbox)
    {
        var (model, named) = (_model, _tools) is ({ } chosen, { } opened) ? (chosen, opened) : throw new InvalidOperationException("PrepareAsync comes first.");
        try
        {
            using var interrupts = new Interrupts(() => cove.DeleteSandboxAsync(sandbox.Id));
            await using var open = await model.OpenAsync(time, interrupts.Token);
            var message = await UploadAsync(cove, sandbox.Id, interrupts.Token);
            var artifacts = new Artifacts(cove, sandbox, Screen);
            if (_directory is not null)
            {
                await artifacts.RememberAsync(interrupts.Token);
            }

            var own = new SandboxToolOptions { HostCalls = named.Bridge(cove, Options(_approvals is { } asked ? asked.AskOfCodeAsync : null), time, Screen) };
            IReadOnlyList<AITool> tools = [.. await SandboxToolset.CreateAsync(cove, sandbox.Id, own, interrupts.Token), .. named.All];
            var result = await FollowAsync(new AgentLoop(open.Client, tools, Options(_approvals is { } approvals ? approvals.AskAsync : null)), message, interrupts.Token);
            await SaveAsync(artifacts);
            return Finish(result);
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
        finally
        {
            await DeleteAsync(cove, sandbox.Id);
            Screen.Flush();
        }
    }

    public async ValueTask DisposeAsync()
    {
        _inputs.Dispose();
        _directory?.Dispose();
        _approvals?.Dispose();
        if (_tools is not null)
        {
            await _tools.DisposeAsync();
        }

        if (_transcript is not null)
        {
            await _transcript.DisposeAsync();
        }
    }

    private AgentOptions Options(Func<ToolCall, CancellationToken, ValueTask<Approval>>? ask) =>
        ask is null ? request.Options : request.Options with { AskAlways = true, Approve = ask };

    /// <summary>Puts the files in, and tells the model what is there.</summary>
    private async Task<ChatMessage> UploadAsync(ICove cove, SandboxId sandbox, CancellationToken cancellationToken)
    {
        var lines = new List<string>();
        var question = _earlier.Count == 0 ? _question : _question + "\n\n(This is a fresh sandbox: files and variables of the conversation so far are gone.)";
        foreach (var (name, content) in _inputs.Files)
        {
            var length = content.Length;
            await cove.WriteFileAsync(sandbox, "/workspace/" + name, content, cancellationToken: cancellationToken);
            lines.Add(FormattableString.Invariant($"/workspace/{JsonEncodedText.Encode(name)} ({length:#,0} bytes)"));
        }

        return new ChatMessage(ChatRole.User, lines.Count == 0 ? question : $"{question}\n\nFiles: {string.Join(", ", lines)}");
    }

    private async Task<AgentResult> FollowAsync(AgentLoop loop, ChatMessage message, CancellationToken cancellationToken)
    {
        AgentResult? result = null;
        await foreach (var next in loop.StreamAsync(_earlier, message, cancellationToken))
        {
            await NoteAsync(next);
            if (next is ToolEnded ended)
            {
                _figures.AddRange(ended.Result.Content.OfType<DataContent>().Select(Figure).OfType<(byte[], string)>());
            }

            result = (next as AgentCompleted)?.Result ?? result;
            _shown!.Show(next);
        }

        var end = result ?? throw new InvalidOperationException("An agent ended without its completed event.");
        if (!request.Json)
        {
            _shown!.Finish(end);
        }

        return end;
    }

    /// <summary>Also what happens after an interruption belongs to a transcript, and what was said before this question: it holds the whole conversation.</summary>
    private async Task NoteAsync(AgentEvent next)
    {
        if (_transcript is null)
        {
            return;
        }

        await _transcript.WriteAsync(next, CancellationToken.None);
        foreach (var earlier in next is AgentStarted ? _earlier : [])
        {
            await _transcript.WriteAsync(new MessageAdded(earlier), CancellationToken.None);
        }
    }

    private static async Task<IReadOnlyList<ChatMessage>> EarlierAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = Inputs.Open(path, "--resume");
        try
        {
            return await TranscriptConversation.ReadAsync(file, cancellationToken);
        }
        catch (FormatException wrong)
        {
            throw Errors.Usage("resume", $"--resume {path}: {Screen.Plain(wrong.Message)}", "Give a file that cove agent --transcript wrote.");
        }
    }

    private static (byte[], string)? Figure(DataContent data) => Figures.Of(new Dictionary<string, string> { [data.MediaType] = Convert.ToBase64String(data.Data.Span) });

    private async Task SaveAsync(Artifacts artifacts)
    {
        if (_directory is null)
        {
            if (_figures.Count > 0 && !request.Json)
            {
                Screen.Notice(string.Create(CultureInfo.InvariantCulture, $"{_figures.Count} figure{(_figures.Count == 1 ? " was" : "s were")} shown; --out DIR saves them."));
            }

            return;
        }

        var changed = await artifacts.ChangedAsync(CancellationToken.None);
        var saved = await artifacts.SaveAsync(changed, _directory, CancellationToken.None);
        var figures = await Figures.SaveAsync(_figures, _directory, saved.Values, Screen, CancellationToken.None);
        if (!request.Json)
        {
            foreach (var name in saved.Values.Concat(figures.OfType<string>()))
            {
                Screen.Notice("saved " + Path.Combine(_directory.DisplayPath, name));
            }
        }
    }

    private int Finish(AgentResult result)
    {
        if (request.Json)
        {
            Screen.Line(result.ToJson());
        }

        return Screen.ExitCode(ExitCodes.Of(result));
    }

    private TranscriptWriter MakeTranscript(string path, params IReadOnlyList<Redactor> redactors)
    {
        try
        {
            return TranscriptWriter.Create(path, time, redactors);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            throw Errors.Usage("transcript", $"--transcript {path} can't be made: {failure.Message}", "Name a file that is not there yet, in a directory you may write to.");
        }
    }

    private async Task DeleteAsync(ICove cove, SandboxId sandbox)
    {
        try
        {
            await cove.DeleteSandboxAsync(sandbox);
        }
        catch (CoveException failure) when (failure.Error.Category is not ErrorCategory.NotFound)
        {
            // Its timeouts end it; the answer stands.
            Screen.Notice("the sandbox could not be deleted: " + failure.Error.Message);
        }
        catch (CoveException)
        {
            // Gone already, by a second Ctrl-C.
        }
    }
}
