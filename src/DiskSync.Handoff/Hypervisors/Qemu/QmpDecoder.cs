using System.Text.Json;

namespace DiskSync.Handoff.Hypervisors.Qemu;

/// <summary>Cuts what QEMU sends into messages (QEMU's docs/interop/qmp-spec).</summary>
/// <remarks>
/// QEMU ends each message with CR LF, and with <c>pretty=on</c> breaks lines within them too, so a message ends where
/// its JSON object does.
/// </remarks>
public static class QmpDecoder
{
    /// <summary>The longest message that is taken, in bytes. QEMU's answers to what we ask have a few KiB.</summary>
    public const int MaxMessage = 1 << 20;

    private const int MaxName = 256;
    private const int MaxText = 4096;

    /// <summary>Reads the first message.</summary>
    /// <param name="bytes">What has arrived and not been read.</param>
    /// <param name="message">The message.</param>
    /// <param name="consumed">How many bytes it took; 0 where it is not whole yet.</param>
    /// <returns>False where more has to arrive.</returns>
    /// <exception cref="InvalidDataException">These are no messages, or one is longer than <see cref="MaxMessage"/>.</exception>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out QmpMessage? message, out int consumed)
    {
        message = null;
        consumed = 0;
        Utf8JsonReader reader = new(bytes[..Math.Min(bytes.Length, MaxMessage)], isFinalBlock: false, default);
        try
        {
            if (!JsonDocument.TryParseValue(ref reader, out JsonDocument? document))
            {
                return bytes.Length < MaxMessage ? false : throw new InvalidDataException($"a message of more than {MaxMessage} bytes");
            }

            using (document)
            {
                message = Read(document.RootElement);
            }
        }
        catch (JsonException exception)
        {
            throw new InvalidDataException("what arrives is not JSON", exception);
        }

        consumed = (int)reader.BytesConsumed;
        return true;
    }

    private static QmpMessage Read(JsonElement root)
    {
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException("a message that is no JSON object");
        }

        long? id = root.TryGetProperty("id", out JsonElement number) && number.ValueKind == JsonValueKind.Number
            && number.TryGetInt64(out long value) ? value : null;
        if (root.TryGetProperty("return", out JsonElement returned))
        {
            return new QmpMessage(QmpMessageKind.Return, id, string.Empty, string.Empty, returned.Clone());
        }

        if (root.TryGetProperty("error", out JsonElement error))
        {
            return new QmpMessage(QmpMessageKind.Error, id, Text(error, "class", MaxName), Text(error, "desc", MaxText), default);
        }

        if (root.TryGetProperty("event", out _))
        {
            return new QmpMessage(
                QmpMessageKind.Event, null, Text(root, "event", MaxName), string.Empty, root.TryGetProperty("data", out JsonElement data) ? data.Clone() : default);
        }

        return root.TryGetProperty("QMP", out JsonElement greeting)
            ? new QmpMessage(QmpMessageKind.Greeting, null, string.Empty, string.Empty, greeting.Clone())
            : throw new InvalidDataException("a message that is neither an answer nor an event");
    }

    private static string Text(JsonElement parent, string name, int most)
    {
        if (parent.ValueKind != JsonValueKind.Object || !parent.TryGetProperty(name, out JsonElement element) || element.ValueKind != JsonValueKind.String)
        {
            return string.Empty;
        }

        try
        {
            string text = element.GetString()!;
            string clean = new([.. text.Take(most).Select(c => char.IsControl(c) ? ' ' : c)]);
            return clean.Trim();
        }
        catch (InvalidOperationException exception)
        {
            // Half of a surrogate pair, escaped.
            throw new InvalidDataException($"a {name} that is no text", exception);
        }
    }
}
