select s.*, a.timezone, dense_rank() over (order by s.client_origin) as belongs
from artists a left join lateral (
    select h.* from (
        select b.id, b.client_name, b.title, b.scheduled_at, b.hold_expires_at, b.client_origin,
            count(*) over (partition by b.client_origin) as together,
            (select count(*) filter (where not e.kept) - count(*) filter (where e.kept) from hold_endings e
                where e.network = b.client_origin and e.artist_id = a.id and e.ended_at > $3) as lapsed
        from bookings b where b.artist_id = a.id and b.status = 'pending' and b.hold_expires_at > $2
            and b.client_origin is not null
    ) h where h.together >= $4 or h.lapsed >= $5
) s on true where a.user_id = account($1) order by belongs, s.scheduled_at
