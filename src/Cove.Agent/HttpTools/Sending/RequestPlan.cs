using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Cove.Agent.HttpTools.Declarations;
using Cove.Agent.HttpTools.Templates;
using Cove.Agent.Tools;

namespace Cove.Agent.HttpTools.Sending;

/// <summary>A request with everything filled in, secrets included. It is shown to nobody.</summary>
internal sealed class RequestPlan
{
    private static readonly JsonSerializerOptions _relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly List<(string Name, string Value)> _headers = [];
    private readonly HttpMethod _method;
    private readonly Uri _address;
    private readonly byte[]? _body;

    private RequestPlan(HttpMethod method, Uri address, byte[]? body) => (_method, _address, _body) = (method, address, body);

    /// <exception cref="ValueRefused">A value can't stand where it is meant to.</exception>
    public static RequestPlan Make(HttpToolDeclaration tool, TemplateValues values, string userAgent)
    {
        var query = new StringBuilder();
        foreach (var (name, template) in tool.Query)
        {
            if (template.Fill(values) is { } value)
            {
                query.Append(query.Length == 0 ? '?' : '&').Append(Uri.EscapeDataString(name)).Append('=').Append(Uri.EscapeDataString(value));
            }
        }

        var body = tool.Body?.Fill(values).Value is { } tree ? Encoding.UTF8.GetBytes(tree.ToJsonString(_relaxed)) : null;
        var plan = new RequestPlan(tool.Method, tool.Url.Fill(values, query.ToString()), body);
        plan._headers.Add(("User-Agent", userAgent));
        foreach (var (name, template) in tool.Headers)
        {
            plan.Add(name, template.Fill(values), template);
        }

        if (tool.Retry.IdempotencyHeader is { } once)
        {
            plan.Add(once, Guid.NewGuid().ToString(), null);
        }

        return plan;
    }

    /// <summary>The request for one try.</summary>
    public HttpRequestMessage Request(CallState call)
    {
        var request = new HttpRequestMessage(_method, _address) { Version = HttpVersion.Version11, VersionPolicy = HttpVersionPolicy.RequestVersionExact };
        foreach (var (name, value) in _headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        // An empty body, too, for the methods that have one: of a request that has none the transport itself sends another when its connection was closed.
        if (_body is not null || _method == HttpMethod.Post || _method == HttpMethod.Put || _method == HttpMethod.Patch)
        {
            request.Content = new NotedContent(_body ?? [], call);
            request.Content.Headers.ContentType = _body is null ? null : new MediaTypeHeaderValue("application/json") { CharSet = "utf-8" };
        }

        return request;
    }

    private void Add(string name, string? value, TextTemplate? template)
    {
        if (value is null)
        {
            return;
        }

        // Line ends would begin another header; other bytes mean something else to everybody.
        if (value.Any(c => c is < ' ' or > '~') || value.Length > TextTemplate.MaximumLength + Secrets.Secret.MaximumLength)
        {
            var named = template?.Values.Any() == true ? string.Join(", ", template.Values) : "a secret";
            throw new ValueRefused($"{named} can't stand in the header {name} as {Excerpts.Shown(template?.Secrets.Any() == true ? "it is" : $"'{value}'")}: give at most {TextTemplate.MaximumLength} printable ASCII characters on one line");
        }

        _headers.RemoveAll(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase));
        _headers.Add((name, value));
    }

    /// <summary>A body that notes when the first byte of it is asked for: the connection stands by then, and not before.</summary>
    private sealed class NotedContent(byte[] body, CallState call) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            call.HasSent = true;
            await stream.WriteAsync(body).ConfigureAwait(false);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = body.Length;
            return true;
        }
    }
}
