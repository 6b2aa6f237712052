<?php
// Print each event of the topics, in order and once. Needs no package.
$topics = ["customer_id:" . getenv("VOIPBIN_CUSTOMER_ID") . ":call:*"];
$address = getenv("VOIPBIN_API_URL") . "/v1.0/sse?topics=" . urlencode(implode(",", $topics));
$headers = ["Authorization: Bearer " . getenv("VOIPBIN_TOKEN")];
$last = "";

while (true) {
    // After a break the gateway continues after the last event; a comment every 15 s shows that it is there.
    // HTTP 1.0 has no chunks, for which PHP would wait until 8 kB have come.
    $header = [...$headers, ...($last ? ["Last-Event-ID: $last"] : [])];
    $http = ["header" => $header, "timeout" => 60, "protocol_version" => "1.0"];
    $stream = @fopen($address, "r", false, stream_context_create(["http" => $http]));
    while ($stream && ($line = fgets($stream)) !== false) {
        if (str_starts_with($line, "id: ")) $last = trim(substr($line, 4));
        if (!str_starts_with($line, "data: ")) continue;
        $frame = json_decode(substr($line, 6));
        if (isset($frame->event_type)) echo $frame->event_type, " ", json_encode($frame->data), "\n";
        else fwrite(STDERR, $line); // An ack, or an error with its reason.
    }
    sleep(1);
}
