%% The job with a process for each user, as Erlang's users would do it: a report is a message to the user's own process,
%% which passes it on to the processes of the friends; each process holds where its user is and where the friends were
%% last heard of, and counts who enters, moves and leaves.
%%
%%   erl +K true +S 2 +sbwt none -noshell -pa DIR -run peers main WORLD LABEL
%%
%% WORLD is what nearby_peers --export writes. Prints one line of JSON.
-module(peers).
-export([main/1]).
-compile([inline, {inline_size, 200}]).

-define(RADIUS, 8046.72).
-define(EARTH, 6371008.7714).
-define(ANGLE, (?RADIUS / ?EARTH)).

-define(UNITS, (1 bsl 29)). % to a turn
-define(PI, 3.14159265358979323846).
-define(TO_UNITS, (?UNITS / (2 * ?PI))).
-define(TO_RADIANS, (2 * ?PI / ?UNITS)).
-define(BOX, 107921). % the radius in units of latitude, and one more

main([World, Label]) ->
    {ok, Binary} = file:read_file(World),
    <<Users:32, Batches:32, FirstMeasured:32, Rest0/binary>> = Binary,
    {Rows, Rest1} = read_rows(Users, Rest0, []),
    Edges = lists:sum([length(Row) || Row <- Rows]),
    erlang:garbage_collect(),
    RssBefore = rss(),
    Pids = list_to_tuple([spawn_user(User) || User <- lists:seq(0, Users - 1)]),
    %% A literal is not copied when the driver collects its garbage.
    persistent_term:put(pids, Pids),
    connect(Rows, 1),
    Degrees = list_to_tuple([length(Row) || Row <- Rows]),
    {Rest2, WarmUp} = run(FirstMeasured, Rest1, Degrees, {0, 0}),
    WarmUpCounts = counts(),
    CpuBefore = cpu_ms(),
    WallBefore = erlang:monotonic_time(microsecond),
    {_, {Reports, Pairs}} = run(Batches - FirstMeasured, Rest2, Degrees, WarmUp),
    Wall = erlang:monotonic_time(microsecond) - WallBefore,
    Cpu = cpu_ms() - CpuBefore,
    RssAfter = rss(),
    [Enters, Moves, Leaves] = lists:zipwith(fun(A, B) -> A - B end, counts(), WarmUpCounts),
    {WarmUpReports, WarmUpPairs} = WarmUp,
    io:format("{\"peer\": \"erlang\", \"label\": \"~s\", \"users\": ~b, \"friendships\": ~b, \"reports\": ~b, "
              "\"pairs\": ~b, \"enters\": ~b, \"moves\": ~b, \"leaves\": ~b, \"client_cpu_s\": ~.6f, "
              "\"server_cpu_s\": 0, \"wall_s\": ~.6f, \"client_bytes\": ~b, \"server_bytes\": 0, \"pushes\": ~b, "
              "\"bytes_received\": 0, \"subscriptions\": ~b}~n",
              [Label, Users, Edges div 2, Reports - WarmUpReports, Pairs - WarmUpPairs, Enters, Moves, Leaves,
               Cpu / 1000, Wall / 1.0e6, max(0, RssAfter - RssBefore), Pairs - WarmUpPairs, Edges]),
    halt(0).

read_rows(0, Rest, Rows) -> {lists:reverse(Rows), Rest};
read_rows(Users, <<Count:32, Rest/binary>>, Rows) ->
    Bytes = Count * 4,
    <<Row:Bytes/binary, Rest1/binary>> = Rest,
    read_rows(Users - 1, Rest1, [[Friend || <<Friend:32>> <= Row] | Rows]).

connect([], _) -> ok;
connect([Row | Rows], At) ->
    Pids = persistent_term:get(pids),
    element(At, Pids) ! {friends, [element(Friend + 1, Pids) || Friend <- Row]},
    connect(Rows, At + 1).

%% The driver: sends the reports of a batch, then waits until all messages they caused have been handled.

run(0, Rest, _, Totals) -> {Rest, Totals};
run(Batches, <<Count:32, Rest/binary>>, Degrees, {Reports, Pairs}) ->
    {Rest1, Pairs1} = send(Count, Rest, Degrees, persistent_term:get(pids), Pairs),
    wait(),
    run(Batches - 1, Rest1, Degrees, {Reports + Count, Pairs1}).

send(0, Rest, _, _, Pairs) -> {Rest, Pairs};
send(Count, <<User:32, Lat/float, Lng/float, Rest/binary>>, Degrees, Pids, Pairs) ->
    element(User + 1, Pids) ! {report, round(Lat * ?TO_UNITS), round(Lng * ?TO_UNITS)},
    send(Count - 1, Rest, Degrees, Pids, Pairs + element(User + 1, Degrees)).

%% Nobody but the driver has anything to do.
wait() ->
    receive after 1 -> ok end,
    case erlang:statistics(total_active_tasks) of
        Tasks when Tasks =< 1 -> ok;
        _ -> wait()
    end.

%% A user.
%%
%% What a process holds of a friend is one entry of its dictionary, and one word: latitude and longitude in units of
%% some 7 cm, and whether the friend is near. Floats would be boxed, and copied with each message.

pack(Lat, Lng) -> ((Lat + ?UNITS div 4) bsl 30) bor ((Lng + ?UNITS div 2) bsl 1).
lat_of(At) -> (At bsr 30) - ?UNITS div 4.
lng_of(At) -> ((At bsr 1) band (?UNITS - 1)) - ?UNITS div 2.

spawn_user(User) ->
    %% Full sweeps only: nothing here lives long enough to be worth a second generation, whose heap would double the
    %% memory.
    Options = [{fullsweep_after, 0}, {message_queue_data, on_heap}],
    erlang:spawn_opt(fun() -> receive {friends, Pids} -> idle(User, Pids, 0, 0, 0) end end, Options).

%% Not online yet: nobody is near.
idle(User, Pids, Enters, Moves, Leaves) ->
    receive
        [Friend | At] ->
            put(Friend, At),
            idle(User, Pids, Enters, Moves, Leaves);
        {report, Lat, Lng} -> report(User, Pids, Lat, Lng, Enters, Moves, Leaves);
        {counts, From} ->
            From ! {Enters, Moves, Leaves},
            idle(User, Pids, Enters, Moves, Leaves)
    end.

%% BoxLng: how far away to the east or west someone may be who is near.
online(User, Pids, Lat, Lng, BoxLng, Enters, Moves, Leaves) ->
    receive
        [Friend | At] ->
            case is_near(Lat, Lng, BoxLng, At) of
                true ->
                    case put(Friend, At bor 1) of
                        Was when Was band 1 =:= 1 ->
                            online(User, Pids, Lat, Lng, BoxLng, Enters, Moves + 1, Leaves);
                        _ -> online(User, Pids, Lat, Lng, BoxLng, Enters + 1, Moves, Leaves)
                    end;
                false ->
                    case put(Friend, At) of
                        Was when Was band 1 =:= 1 ->
                            online(User, Pids, Lat, Lng, BoxLng, Enters, Moves, Leaves + 1);
                        _ -> online(User, Pids, Lat, Lng, BoxLng, Enters, Moves, Leaves)
                    end
            end;
        {report, NewLat, NewLng} -> report(User, Pids, NewLat, NewLng, Enters, Moves, Leaves);
        {counts, From} ->
            From ! {Enters, Moves, Leaves},
            online(User, Pids, Lat, Lng, BoxLng, Enters, Moves, Leaves)
    end.

report(User, Pids, Lat, Lng, Enters, Moves, Leaves) ->
    send_all(Pids, [User | pack(Lat, Lng)]),
    %% A twentieth more than on this parallel: the friend may be on another.
    BoxLng = trunc(?BOX * 1.05 / math:cos(Lat * ?TO_RADIANS)),
    {Enters1, Leaves1} = look_around(get(), Lat, Lng, BoxLng, Enters, Leaves),
    online(User, Pids, Lat, Lng, BoxLng, Enters1, Moves, Leaves1).

send_all([], _) -> ok;
send_all([Pid | Pids], Message) ->
    Pid ! Message,
    send_all(Pids, Message).

%% The user has moved: who of the friends is near now?
look_around([], _, _, _, Enters, Leaves) -> {Enters, Leaves};
look_around([{Friend, At} | Rest], Lat, Lng, BoxLng, Enters, Leaves) ->
    WasNear = At band 1 =:= 1,
    case is_near(Lat, Lng, BoxLng, At) of
        WasNear -> look_around(Rest, Lat, Lng, BoxLng, Enters, Leaves);
        true ->
            put(Friend, At bor 1),
            look_around(Rest, Lat, Lng, BoxLng, Enters + 1, Leaves);
        false ->
            put(Friend, At - 1),
            look_around(Rest, Lat, Lng, BoxLng, Enters, Leaves + 1)
    end.

%% A box of integers first, then haversine, without its square root and arc sine.
is_near(Lat, Lng, BoxLng, At) ->
    DLat = lat_of(At) - Lat,
    case DLat < ?BOX andalso DLat > -?BOX of
        false -> false;
        true ->
            DLng = lng_of(At) - Lng,
            case DLng < BoxLng andalso DLng > -BoxLng of
                false -> false;
                true ->
                    SinLat = math:sin(DLat * (?TO_RADIANS / 2)),
                    SinLng = math:sin(DLng * (?TO_RADIANS / 2)),
                    Cos = math:cos(Lat * ?TO_RADIANS) * math:cos((Lat + DLat) * ?TO_RADIANS),
                    SinLat * SinLat + Cos * SinLng * SinLng =< threshold()
            end
    end.

%% sin(ANGLE / 2) squared; ANGLE is small enough for two terms of the series.
threshold() ->
    Half = ?ANGLE * 0.5,
    Sin = Half - Half * Half * Half / 6.0,
    Sin * Sin.

counts() ->
    Pids = tuple_to_list(persistent_term:get(pids)),
    lists:foreach(fun(Pid) -> Pid ! {counts, self()} end, Pids),
    lists:foldl(fun(_, [Enters, Moves, Leaves]) ->
                        receive {E, M, L} -> [Enters + E, Moves + M, Leaves + L] end
                end, [0, 0, 0], Pids).

%% User and system time of all threads.
cpu_ms() ->
    {Total, _} = erlang:statistics(runtime),
    Total.

rss() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Resident | _] = binary:split(Text, <<" ">>, [global]),
    binary_to_integer(Resident) * 4096.
