namespace DiskSync.Engine.Replication;

/// <summary>What each codec has really brought, to find out where a model of workers, link and destination is wrong.</summary>
/// <remarks>
/// <para>A model may believe that the link is the limit where in truth the processors are, which encoding takes from those
/// who send, or from a destination on the same host. So the payload that arrives is measured while one codec is in use,
/// and where a cheaper one has brought more shortly before, that one is the strongest that is used for a while; each time
/// longer, since to try again costs something.</para>
/// <para>Where much arrives and the cheapest codec was not in use lately, it is tried for a moment: ever more rarely, so
/// that it costs a few hundredths of a copy at most on a link that really is the limit.</para>
/// <para>Not thread safe: the policy's lock is around it.</para>
/// </remarks>
/// <param name="codecs">How many codecs there are; a codec is its number, the cheapest is 0.</param>
/// <param name="time">The clock.</param>
internal sealed class AchievedRates(int codecs, TimeProvider time)
{
    private const int EnoughAcks = 16;
    private const double Worse = 0.9;
    private const double MuchWorse = 0.75;

    // Payload bytes a second: below that, two processors encode beside everything else.
    private const double MayBeProcessors = 150e6;
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan TryTime = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(0.5);
    private static readonly TimeSpan Recent = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan FirstHold = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan LongestHold = TimeSpan.FromMinutes(1);

    private readonly (double Rate, long At)[] _achieved = new (double Rate, long At)[codecs];
    private int _current = -1;
    private int _acks;
    private long _bytes;
    private long _start;
    private int _disappointments;
    private int _strongest;
    private long _heldAt;
    private TimeSpan _hold;
    private TimeSpan _nextHold = FirstHold;
    private long _tried = time.GetTimestamp();
    private TimeSpan _pause = FirstPause;

    /// <summary>The strongest codec that is worth using now.</summary>
    public int Strongest => _hold > TimeSpan.Zero && time.GetElapsedTime(_heldAt) < _hold ? _strongest : codecs - 1;

    /// <summary>Takes note of a batch that was acknowledged.</summary>
    /// <param name="codec">The codec that was chosen for it.</param>
    /// <param name="payload">Its bytes before they were encoded.</param>
    public void Acknowledged(int codec, long payload)
    {
        if (codec != _current)
        {
            // Batches of two codecs come mixed for a while: only one alone says something.
            (_current, _disappointments) = (codec, 0);
            Restart();
            return;
        }

        _acks++;
        _bytes += payload;
        TimeSpan elapsed = time.GetElapsedTime(_start);
        if (elapsed >= Interval && _acks >= EnoughAcks)
        {
            Conclude(_bytes / elapsed.TotalSeconds);
            Restart();
        }
    }

    private void Restart() => (_acks, _bytes, _start) = (0, 0, time.GetTimestamp());

    private void Conclude(double rate)
    {
        long now = time.GetTimestamp();
        _achieved[_current] = (rate, now);
        int best = _current;
        for (int i = 0; i < _current; i++)
        {
            if (_achieved[i].Rate > _achieved[best].Rate && time.GetElapsedTime(_achieved[i].At, now) < Recent)
            {
                best = i;
            }
        }

        if (_current == 0 || rate > _achieved[best].Rate * Worse)
        {
            _disappointments = 0;
            MaybeTry(rate, now);
            return;
        }

        // Once may be chance.
        if (++_disappointments < 2 && rate > _achieved[best].Rate * MuchWorse)
        {
            return;
        }

        Hold(best, now, _nextHold);
        _nextHold = _nextHold * 2 < LongestHold ? _nextHold * 2 : LongestHold;
    }

    private void Hold(int strongest, long now, TimeSpan hold) => (_strongest, _heldAt, _hold, _disappointments) = (strongest, now, hold, 0);

    private void MaybeTry(double rate, long now)
    {
        if (_current == 0)
        {
            _tried = now;
        }
        else if (rate > MayBeProcessors && time.GetElapsedTime(_tried, now) > _pause)
        {
            _tried = now;
            _pause *= 2;
            Hold(0, now, TryTime);
        }
    }
}
