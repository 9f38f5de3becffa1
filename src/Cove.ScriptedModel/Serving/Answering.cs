using System.Text;
using System.Text.Json.Nodes;
using Cove.ScriptedModel.Playing;
using Cove.ScriptedModel.Scripts;
using Cove.ScriptedModel.Wire;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Cove.ScriptedModel.Serving;

/// <summary>Writes one answer, with what goes wrong in it.</summary>
internal sealed class Answering(HttpContext context, string requestId, TimeProvider time)
{
    private ReceivedRequest? _received;
    private bool _broken;

    private CancellationToken Gone => context.RequestAborted;

    /// <summary>Notes with the request how it is answered, before the client can know.</summary>
    public void Note(ReceivedRequest received)
    {
        _received = received;
        context.Response.OnStarting(() =>
        {
            received.Status = _broken ? 0 : context.Response.StatusCode;
            return Task.CompletedTask;
        });
    }

    public async Task GiveAsync(Message message, Reply reply, Fault? fault, bool stream)
    {
        await WaitAsync(reply.Branch.Answer.Delay);
        if (fault is { Place: FaultPlace.BeforeHeaders } && await FailAsync(fault))
        {
            return;
        }

        if (stream)
        {
            await StreamAsync(message, reply, fault);
        }
        else
        {
            await WholeAsync(message, fault);
        }
    }

    public async Task ErrorAsync(int status, string type, string text, string? errorCode = null, string? retryAfter = null)
    {
        context.Response.StatusCode = status;
        if (retryAfter is not null)
        {
            context.Response.Headers.RetryAfter = retryAfter;
        }

        await JsonAsync(ErrorEnvelope.Of(type, text, errorCode, requestId));
    }

    public Task JsonAsync(JsonObject body)
    {
        context.Response.ContentType = "application/json";
        return context.Response.WriteAsync(body.ToJsonString(), Gone);
    }

    /// <summary>What happens instead of an answer. False: the answer itself is what is wrong.</summary>
    private async Task<bool> FailAsync(Fault fault)
    {
        switch (fault.Kind)
        {
            case FaultKind.Error:
                await ErrorAsync(fault.Status, fault.ErrorType, fault.Message, fault.ErrorCode, fault.RetryAfter);
                return true;
            case FaultKind.Drop:
                Break();
                return true;
            case FaultKind.Hang:
                await HangAsync();
                return true;
            case FaultKind.Malformed when fault.Message == "html":
                context.Response.StatusCode = StatusCodes.Status502BadGateway;
                context.Response.ContentType = "text/html";
                await context.Response.WriteAsync("<html><body><h1>502 Bad Gateway</h1></body></html>", Gone);
                return true;
            default:
                return false;
        }
    }

    private async Task WholeAsync(Message message, Fault? fault)
    {
        var body = Encoding.UTF8.GetBytes(message.ToJson().ToJsonString());
        context.Response.ContentType = "application/json";
        if (fault is null)
        {
            await context.Response.Body.WriteAsync(body, Gone);
            return;
        }

        // What is cut short is said to be whole when it is malformed, and breaks off when the connection is what fails.
        var half = body.AsMemory(0, body.Length / 2);
        context.Response.ContentLength = fault.Kind == FaultKind.Malformed ? half.Length : body.Length;
        await context.Response.Body.WriteAsync(fault.Place == FaultPlace.AfterHeaders ? body.AsMemory(0, 1) : half, Gone);
        await context.Response.Body.FlushAsync(Gone);
        if (fault.Kind != FaultKind.Malformed)
        {
            await BreakAsync(fault);
        }
    }

    private async Task StreamAsync(Message message, Reply reply, Fault? fault)
    {
        context.Response.ContentType = "text/event-stream; charset=utf-8";
        context.Response.Headers.CacheControl = "no-cache";
        context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
        var events = StreamEvents.Of(message, reply).ToArray();
        var whole = fault is null ? events.Length : Cut(events, fault);
        foreach (var next in events.AsMemory(0, whole).ToArray())
        {
            await WriteAsync(next.ToString());
            await WaitAsync(reply.Branch.Answer.Pace);
        }

        if (fault is not null)
        {
            await EndBadlyAsync(fault, events.ElementAtOrDefault(whole));
        }
    }

    private async Task EndBadlyAsync(Fault fault, StreamEvent? cut)
    {
        switch (fault.Kind)
        {
            case FaultKind.Malformed:
                // The event's name is right, its data is not: cut in the middle of the JSON.
                await WriteAsync($"event: {cut?.Name}\ndata: {cut?.Data[..(cut.Data.Length / 2)]}\n\n");
                break;
            case FaultKind.Error:
                await WriteAsync(StreamEvent.Of("error", ErrorEnvelope.Of(fault.ErrorType, fault.Message, fault.ErrorCode, requestId)).ToString());
                break;
            default:
                await BreakAsync(fault);
                break;
        }
    }

    private static int Cut(StreamEvent[] events, Fault fault)
    {
        var pieces = events.Index().Where(e => e.Item.IsPiece).Select(e => e.Index).ToArray();
        return fault.Place switch
        {
            FaultPlace.AfterHeaders => 1,
            FaultPlace.BeforeEnd => events.Length - 1,
            _ => pieces.Length == 0 ? 1 : pieces[pieces.Length / 2],
        };
    }

    private async Task BreakAsync(Fault fault)
    {
        if (fault.Kind == FaultKind.Hang)
        {
            await HangAsync();
        }
        else
        {
            Break();
        }
    }

    private void Break()
    {
        _broken = true;
        _received?.Status = 0;
        if (context.Response.HasStarted)
        {
            // An abort would also take back what was written; this ends the connection after it, and short of what was announced.
            throw new BrokenOffException();
        }

        context.Abort();
    }

    /// <summary>Until the client gives up, or the server ends.</summary>
    private async Task HangAsync() => await Task.Delay(Timeout.InfiniteTimeSpan, time, Gone);

    private async Task WriteAsync(string text)
    {
        await context.Response.WriteAsync(text, Gone);
        await context.Response.Body.FlushAsync(Gone);
    }

    private Task WaitAsync(TimeSpan wait) => wait == TimeSpan.Zero ? Task.CompletedTask : Task.Delay(wait, time, Gone);
}

/// <summary>The answer ends here, as the script wants it.</summary>
internal sealed class BrokenOffException() : Exception("The script breaks the connection here.");
