namespace Skein;

/// <summary>
/// Makes the replicas of a service look like one server that is near, quick and never down. A client asks <c>http://shop/cart</c>; which
/// replica answers, where it is, how many there are, and that one of them has just failed, it does not see.
/// </summary>
/// <remarks>
/// <code>
///  request ──► of two random replicas the one with less to do ──► answer
///                  │ fails, or takes longer than 95 of 100 do          ▲
///                  └──► budget left? ──► another replica ──────────────┘  (the first answer counts, the others are cancelled)
/// </code>
/// Sent again is what may be: idempotent requests (GET, HEAD, OPTIONS, TRACE, PUT, DELETE, or whatever has an <c>Idempotency-Key</c>), and
/// any request that could not be sent because there was no connection.
/// </remarks>
/// <example>
/// <code>
/// using var client = new HttpClient(new ReplicaHandler(ReplicaSource.Dns(new("http://shop.internal:8080"))));
/// var cart = await client.GetStringAsync("http://shop/cart");
/// </code>
/// </example>
public sealed class ReplicaHandler : DelegatingHandler
{
    readonly ReplicaSource _source;
    readonly ReplicaOptions _options;
    readonly ReplicaSet _replicas;
    readonly RetryBudget _again, _hedges;
    readonly LatencyQuantile _latency = new();
    readonly ITimer? _prober;

    /// <param name="source">Where the replicas are. Ends with the handler.</param>
    /// <param name="options">How much is done to hide the bad ones.</param>
    /// <param name="inner">What sends; by default connections of its own, as many in parallel as there are requests.</param>
    public ReplicaHandler(ReplicaSource source, ReplicaOptions? options = null, HttpMessageHandler? inner = null)
        : base(inner ?? new SocketsHttpHandler { UseCookies = false, EnableMultipleHttp2Connections = true, ConnectTimeout = TimeSpan.FromSeconds(2) })
    {
        ArgumentNullException.ThrowIfNull(source);
        (_source, _options) = (source, (options ?? new()).Checked());
        _replicas = new(source, _options);
        (_again, _hedges) = (new(_options.RetryBudget), new(_options.RetryBudget));   // apart: a slow time must leave what failures need
        if (_options.ProbePath is not null)
            _prober = _options.Time.CreateTimer(static handler => _ = ((ReplicaHandler)handler!).ProbeAsync(), this, _options.EjectionTime, _options.EjectionTime);
    }

    /// <summary>The replicas that get nothing now because they failed.</summary>
    public IReadOnlyList<Uri> Ejected => [.. _replicas.Current.Where(replica => replica.IsEjected).Select(replica => replica.Address)];

    /// <summary>How many requests were sent a second or third time since the beginning.</summary>
    public long ResentCount => Volatile.Read(ref _resent);

    /// <summary>How many of them were not waited for: the first had not failed, and was late.</summary>
    internal long HedgedCount => Volatile.Read(ref _hedged);

    long _resent, _hedged;

    /// <inheritdoc/>
    /// <exception cref="HttpRequestException">None of the replicas that were asked has answered; the message names them.</exception>
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        _again.Earn();
        _hedges.Earn();
        var isIdempotent = RequestCopy.IsIdempotent(request);
        var copies = new RequestCopy(request, _replicas.HostName);
        if (isIdempotent)
            await copies.KeepContentAsync(cancellationToken).ConfigureAwait(false);

        List<Replica> tried = [];
        List<Attempt> running = [];
        Attempt? failed = null;
        Start();
        while (running.Count > 0)
        {
            await NextAsync(mayHedge: isIdempotent && tried.Count < _options.MaxAttempts).ConfigureAwait(false);
            if (running.Find(attempt => attempt.Answer.IsCompleted) is not { } ended)
            {
                if (tried.Count < _options.MaxAttempts && _hedges.TrySpend())
                {
                    Interlocked.Increment(ref _hedged);
                    Start();
                }
                continue;
            }

            running.Remove(ended);
            if (ended.Succeeded(cancellationToken))
            {
                running.ForEach(attempt => attempt.Overtake(counts: ended.IsWell));
                failed?.Discard();
                _latency.Add(ended.Elapsed);
                var response = await ended.Answer.ConfigureAwait(false);
                response.RequestMessage = request;
                return response;
            }

            var (kept, other) = failed is { IsAnswer: true } && !ended.IsAnswer ? (failed, ended) : (ended, failed);   // what a service says is worth more than that another is not there
            other?.Discard();
            failed = kept;
            if (tried.Count < _options.MaxAttempts && (ended.WasNotSent || (isIdempotent && _again.TrySpend())))
                Start();   // what was not sent has loaded nobody
        }

        return await LastAsync().ConfigureAwait(false);

        void Start()
        {
            if (_replicas.Choose(tried, isIdempotent && _options.ProbePath is null, out var isLastResort) is not { } replica)
                return;
            if (tried.Count > 0)
                Interlocked.Increment(ref _resent);
            tried.Add(replica);
            running.Add(new(replica, copies.For(replica), base.SendAsync, isLastResort, _options.Time, cancellationToken));
        }

        async Task NextAsync(bool mayHedge)
        {
            if (!mayHedge || running.Count > 1 || _options.HedgeAfter == Timeout.InfiniteTimeSpan || tried.Count == _replicas.Current.Length)
            {
                await Task.WhenAny(running.Select(attempt => attempt.Answer)).ConfigureAwait(false);
                return;
            }

            using var early = new CancellationTokenSource();
            var patience = Task.Delay(_options.HedgeAfter ?? _latency.Value, _options.Time, early.Token);
            if (await Task.WhenAny(running[0].Answer, patience).ConfigureAwait(false) != patience)
                await early.CancelAsync().ConfigureAwait(false);
        }

        async Task<HttpResponseMessage> LastAsync()
        {
            if (failed is null)
                throw _source.NoReplicas(request.RequestUri?.Host);
            try
            {
                var response = await failed.Answer.ConfigureAwait(false);   // it says itself what is wrong
                response.RequestMessage = request;
                return response;
            }
            catch (Exception error) when (error is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                throw new HttpRequestException(
                    (error as HttpRequestException)?.HttpRequestError ?? HttpRequestError.Unknown,
                    $"{request.RequestUri?.Host} has not answered. Asked: {string.Join(", ", tried.Select(replica => replica.Address.Authority))}. {error.Message}", error);
            }
        }
    }

    /// <inheritdoc/>
    protected override HttpResponseMessage Send(HttpRequestMessage request, CancellationToken cancellationToken) =>
        Task.Run(() => SendAsync(request, cancellationToken), cancellationToken).GetAwaiter().GetResult();   // not on a thread that others wait for

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        _prober?.Dispose();
        _source.Dispose();
        base.Dispose(disposing);
    }

    async Task ProbeAsync()
    {
        foreach (var replica in _replicas.Current.Where(replica => replica.IsEjected))
        {
            try
            {
                using var request = new HttpRequestMessage(HttpMethod.Get, replica.At(new(_options.ProbePath ?? "", UriKind.Relative)));
                request.Headers.Host = _replicas.HostName;
                using var limit = new CancellationTokenSource(_options.EjectionTime, _options.Time);
                using var response = await base.SendAsync(request, limit.Token).ConfigureAwait(false);
                if (response.IsSuccessStatusCode)
                    await replica.ReturnAsync().ConfigureAwait(false);
            }
            catch (Exception error) when (error is HttpRequestException or OperationCanceledException or ObjectDisposedException)
            {
                // Not yet.
            }
        }
    }
}
