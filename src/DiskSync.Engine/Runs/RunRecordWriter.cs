using System.Buffers;
using System.Text.Json;

namespace DiskSync.Engine.Runs;

/// <summary>Writes a run's file, field by field.</summary>
/// <remarks>
/// The serializer that reads it takes 50 ms to set itself up, a quarter of a push of an image that has not changed; every run
/// writes this file, and only <c>status</c> reads one. In step with <see cref="RunJson"/>, which a test checks.
/// </remarks>
internal static class RunRecordWriter
{
    /// <summary>The bytes of a run's file.</summary>
    public static byte[] ToUtf8(RunRecord record)
    {
        ArrayBufferWriter<byte> output = new(512);
        using (Utf8JsonWriter json = new(output, new JsonWriterOptions { Indented = true }))
        {
            json.WriteStartObject();
            json.WriteString("id", record.Id);
            json.WriteString("command", record.Command);
            json.WriteNumber("pid", record.Pid);
            json.WriteNumber("pidStartTicks", record.PidStartTicks);
            json.WriteStartArray("images");
            foreach (string image in record.Images)
            {
                json.WriteStringValue(image);
            }

            json.WriteEndArray();
            json.WriteString("destination", record.Destination);
            json.WriteString("startedAt", record.StartedAt);
            json.WriteString("phase", record.Phase);
            json.WriteNumber("round", record.Round);
            json.WriteNumber("bytesDone", record.BytesDone);
            json.WriteNumber("bytesTotal", record.BytesTotal);
            json.WriteNumber("sentBytes", record.SentBytes);
            json.WriteNumber("limitBytesPerSecond", record.LimitBytesPerSecond);
            json.WriteEndObject();
        }

        return output.WrittenSpan.ToArray();
    }
}
